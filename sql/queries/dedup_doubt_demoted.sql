-- Duplicates of what the round has made a duplicate itself.
insert into dedup_work as w (doc_id, priority, stated_at, source, key, spread, was_canonical)
select
    n.doc_id,
    n.priority,
    coalesce(n.stated_at, 'infinity'),
    n.source,
    n.key,
    false,
    false
from dedup_round as r
inner join corpus.near_duplicate as c on r.doc_id = c.doc_id
inner join corpus.near_duplicate as n on c.doc_id = n.canonical_doc_id
where r.was_canonical and c.canonical_doc_id is not null
on conflict (doc_id) do update set pending = true where not w.pending;
