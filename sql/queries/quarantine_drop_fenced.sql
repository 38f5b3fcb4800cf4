delete from staged_quarantine as s
using corpus.source as c
left join ops.listing as l on c.name = l.source
where s.source = c.name and (s.fence < coalesce(l.fence, 0) or c.removed_at is not null);
