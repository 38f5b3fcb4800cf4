update dedup_work as w
set pending = false, spread = false
from dedup_round as r
where w.doc_id = r.doc_id;
