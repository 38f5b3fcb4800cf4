insert into ops.llm_batch (batch_id, run_id, shard, provider, key, state, requests, reserved_usd)
values (
    %(batch_id)s,
    %(run_id)s,
    %(shard)s,
    %(provider)s,
    %(key)s,
    'intended',
    %(requests)s,
    %(reserved_usd)s
)
