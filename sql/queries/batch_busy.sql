-- Requests that another may be paying for, or that have their reply.
select c.request_id
from ops.llm_call as c
inner join ops.llm_batch as b on c.batch_id = b.batch_id
where
    c.request_id = any(%(requests)s)
    and b.state in ('intended', 'sending', 'submitted')
union
select q.request_id
from ops.llm_request as q
where q.request_id = any(%(requests)s) and q.outcome = 'success'
