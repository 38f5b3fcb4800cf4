select
    count(*) filter (where not w.was_canonical and n.canonical_doc_id is null) as promoted,
    count(*) filter (where w.was_canonical and n.canonical_doc_id is not null) as demoted
from dedup_work as w
cross join lateral (
    select * from corpus.near_duplicate as x
    where x.doc_id = w.doc_id
    offset 0
) as n
where not exists (select from dedup_incoming as i where i.doc_id = w.doc_id);
