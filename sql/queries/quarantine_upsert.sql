insert into ops.quarantine as q (
    quarantine_id,
    source,
    path,
    key,
    uri,
    record_id,
    stage,
    reason,
    detail,
    source_hash,
    transient,
    run_id,
    fence
)
select distinct on (s.quarantine_id)
    s.quarantine_id,
    s.source,
    s.path,
    s.key,
    s.uri,
    s.record_id,
    s.stage,
    s.reason,
    s.detail,
    s.source_hash,
    s.transient,
    %(run_id)s,
    s.fence
from staged_quarantine as s
order by s.quarantine_id asc, s.fence desc
on conflict (quarantine_id) do update
set
    uri = excluded.uri,
    record_id = excluded.record_id,
    stage = excluded.stage,
    reason = excluded.reason,
    detail = excluded.detail,
    source_hash = excluded.source_hash,
    transient = excluded.transient,
    fence = excluded.fence,
    run_id = excluded.run_id,
    retry = false,
    -- A task that is run again within its run is the same attempt.
    attempts = q.attempts + (q.run_id <> excluded.run_id)::integer,
    last_seen_at = now()
where q.fence <= excluded.fence;
