update ops.run
set
    state = 'success',
    outcomes = jsonb_build_object('deleted', %(deleted)s::integer),
    ended_at = now()
where run_id = %(run_id)s;
