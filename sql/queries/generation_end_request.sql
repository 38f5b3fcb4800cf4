update ops.llm_request
set
    outcome = %(outcome)s,
    reply = %(reply)s,
    detail = %(detail)s,
    answered_at = now()
where request_id = %(request_id)s and (outcome is null or outcome <> 'success')
