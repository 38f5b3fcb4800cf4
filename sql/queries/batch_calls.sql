select
    c.call_id,
    c.request_id,
    c.reserved_usd,
    c.ended_at is not null as has_ended
from ops.llm_call as c
where c.batch_id = %(batch_id)s
