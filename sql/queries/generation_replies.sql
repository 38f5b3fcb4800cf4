select
    q.request_id,
    q.outcome,
    q.reply,
    q.detail
from ops.llm_request as q
where q.request_id = any(%(requests)s) and q.outcome is not null
