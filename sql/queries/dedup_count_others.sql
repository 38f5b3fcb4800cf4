select
    count(*) filter (where not w.was_canonical and n.canonical_doc_id is null) as promoted,
    count(*) filter (where w.was_canonical and n.canonical_doc_id is not null) as demoted
from dedup_work as w
inner join corpus.near_duplicate as n on w.doc_id = n.doc_id
where not exists (select from dedup_incoming as i where i.doc_id = w.doc_id);
