insert into ops.review as r (item_id, run_id, output_hash)
values (%(item_id)s, %(run_id)s, %(output_hash)s)
on conflict (item_id) do update set
    run_id = excluded.run_id,
    state = 'waiting',
    output_hash = excluded.output_hash,
    asked_at = now(),
    decided_by = null,
    decided_at = null,
    reason = null,
    asked_in = null,
    proposal = null,
    edited = false
where r.output_hash <> excluded.output_hash or r.state = 'void'
