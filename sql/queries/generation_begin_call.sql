insert into ops.llm_call (
    call_id, request_id, item_id, run_id, worker, attempt, batch_id, month, reserved_usd
)
values (
    %(call_id)s,
    %(request_id)s,
    %(item_id)s,
    %(run_id)s,
    %(worker)s,
    %(attempt)s,
    %(batch_id)s,
    date_trunc('month', now() at time zone 'UTC')::date,
    %(reserved_usd)s
)
on conflict (call_id) do nothing
