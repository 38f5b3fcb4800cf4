insert into corpus.source as s (
    name, uri, format, acl, record_id, record_key, dedup, priority, summarize, manual
)
values (
    %(name)s,
    %(uri)s,
    %(format)s,
    %(acl)s,
    %(record_id)s,
    %(record_key)s,
    %(dedup)s,
    %(priority)s,
    %(summarize)s,
    %(manual)s
)
on conflict (name) do update
set
    uri = excluded.uri,
    format = excluded.format,
    acl = excluded.acl,
    record_id = excluded.record_id,
    record_key = excluded.record_key,
    dedup = excluded.dedup,
    priority = excluded.priority,
    summarize = excluded.summarize,
    manual = excluded.manual,
    removed_at = null
where s.removed_at is not null
returning s.name;
