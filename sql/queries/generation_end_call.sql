update ops.llm_call
set
    ended_at = now(),
    status = %(status)s,
    prompt_tokens = %(prompt_tokens)s,
    cached_tokens = %(cached_tokens)s,
    completion_tokens = %(completion_tokens)s,
    cost_usd = %(cost_usd)s
where call_id = %(call_id)s and ended_at is null
returning run_id, reserved_usd
