select b.provider_batch_id
from ops.llm_batch as b
where
    b.provider = %(provider)s
    and b.provider_batch_id is not null
    and b.submitted_at >= %(since)s::timestamptz - interval '1 hour'
