select
    b.batch_id,
    b.run_id,
    b.key,
    b.provider,
    b.provider_batch_id,
    b.state,
    b.requests,
    b.sending_at
from ops.llm_batch as b
where
    b.state in ('intended', 'sending', 'submitted')
    and b.batch_id in (
        select c.batch_id
        from ops.llm_call as c
        where c.request_id = any(%(requests)s) and c.batch_id is not null
    )
order by b.intended_at, b.batch_id
