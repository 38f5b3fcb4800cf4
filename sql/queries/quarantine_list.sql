select
    quarantine_id::text as id,
    source,
    uri,
    record_id,
    stage,
    reason,
    detail,
    attempts,
    first_seen_at,
    last_seen_at,
    retry
from ops.quarantine
where source = coalesce(%(source)s, source)
order by last_seen_at desc, uri asc, record_id asc
limit %(limit)s;
