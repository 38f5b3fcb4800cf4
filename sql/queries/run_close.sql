update ops.run
set
    state = %(state)s,
    outcomes = coalesce(%(outcomes)s, outcomes),
    detail = %(detail)s,
    ended_at = now()
where run_id = %(run_id)s;
