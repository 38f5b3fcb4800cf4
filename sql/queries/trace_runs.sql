select
    r.run_id,
    r.kind,
    c.outcome,
    r.state,
    r.started_at,
    r.ended_at
from ops.run_change as c
inner join ops.run as r on c.run_id = r.run_id
where c.doc_id = %(doc_id)s
order by r.started_at;
