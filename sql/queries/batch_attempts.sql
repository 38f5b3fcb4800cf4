select
    c.request_id,
    count(*)::integer as attempts
from ops.llm_call as c
inner join ops.llm_batch as b on c.batch_id = b.batch_id
where c.request_id = any(%(requests)s) and c.run_id = %(run_id)s and b.state <> 'unsent'
group by c.request_id
