update ops.quarantine
set retry = true
where
    source = coalesce(%(source)s, source)
    and (%(identity)s::text is null or %(identity)s in (quarantine_id::text, uri, record_id));
