insert into ops.stage_metric (run_id, stage, shard, items, seconds)
select
    %(run_id)s,
    %(stage)s,
    %(shard)s,
    %(items)s,
    %(seconds)s
where exists (select from ops.run where run_id = %(run_id)s)
on conflict (run_id, stage, shard) do update
set items = excluded.items, seconds = excluded.seconds, ended_at = now();
