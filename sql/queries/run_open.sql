insert into ops.run (run_id, kind, source, state)
values (%(run_id)s, %(kind)s, %(source)s, 'running')
on conflict (run_id) do update set state = 'running', ended_at = null, detail = null;
