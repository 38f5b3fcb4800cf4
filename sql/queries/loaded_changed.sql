select r.doc_id::text as doc_id
from ops.run_change as r
inner join corpus.document as d on r.doc_id = d.doc_id
where
    r.run_id = %(run_id)s
    and r.outcome in ('added', 'changed')
    and d.status = 'current'
    and r.doc_id > %(after)s::uuid
order by r.doc_id
limit %(page)s;
