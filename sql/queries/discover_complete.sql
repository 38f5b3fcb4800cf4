insert into ops.listing as l (source, fence)
values (%(source)s, %(fence)s)
on conflict (source) do update
set fence = excluded.fence, completed_at = now()
where l.fence < excluded.fence;
