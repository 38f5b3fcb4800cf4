insert into ops.lease (source, run_id, kind, host, pid, process_started)
values (
    %(source)s, %(run_id)s, %(kind)s, %(host)s, %(pid)s, %(process_started)s
)
on conflict (source) do update
set
    run_id = excluded.run_id,
    kind = excluded.kind,
    host = excluded.host,
    pid = excluded.pid,
    process_started = excluded.process_started,
    heartbeat_at = now();
