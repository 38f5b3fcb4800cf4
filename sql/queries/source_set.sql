update corpus.source
set
    uri = %(uri)s,
    format = %(format)s,
    acl = %(acl)s,
    record_id = %(record_id)s,
    record_key = %(record_key)s,
    dedup = %(dedup)s,
    priority = %(priority)s,
    summarize = %(summarize)s,
    manual = %(manual)s
where name = %(name)s;
