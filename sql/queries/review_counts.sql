select
    count(*)::integer as asked,
    count(*) filter (where r.state = 'approved')::integer as approved,
    count(*) filter (where r.state = 'approved' and r.edited)::integer as edited,
    count(*) filter (where r.state = 'rejected')::integer as rejected,
    count(*) filter (where r.state = 'void')::integer as void,
    count(*) filter (where r.state = 'waiting')::integer as waiting
from ops.review as r
where r.asked_in = %(run_id)s
