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
    transient,
    retry,
    run_id
from ops.quarantine
where %(identity)s in (quarantine_id::text, uri, record_id)
order by uri, record_id;
