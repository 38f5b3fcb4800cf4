select
    count(*) filter (where n.canonical_doc_id is null) as canonical,
    count(n.canonical_doc_id) as duplicate
from dedup_incoming as i
cross join lateral (
    select * from corpus.near_duplicate as x
    where x.doc_id = i.doc_id
    offset 0
) as n;
