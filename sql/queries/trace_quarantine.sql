select
    q.stage,
    q.reason,
    q.detail,
    q.attempts,
    q.first_seen_at,
    q.last_seen_at
from ops.quarantine as q
inner join corpus.document as d on q.source = d.source and q.key = d.key
where d.doc_id = %(doc_id)s;
