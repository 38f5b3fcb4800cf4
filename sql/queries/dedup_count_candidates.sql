select
    count(*) filter (where n.canonical_doc_id is null) as canonical,
    count(n.canonical_doc_id) as duplicate
from dedup_incoming as i
inner join corpus.near_duplicate as n on i.doc_id = n.doc_id;
