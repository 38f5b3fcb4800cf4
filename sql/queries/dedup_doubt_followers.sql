-- Duplicates of what has changed or is no longer there.
insert into dedup_work (doc_id, priority, stated_at, source, key, spread, was_canonical)
select
    n.doc_id,
    n.priority,
    coalesce(n.stated_at, 'infinity'),
    n.source,
    n.key,
    false,
    false
from corpus.near_duplicate as n
where
    n.canonical_doc_id is not null
    and (
        exists (select from dedup_work as w where w.doc_id = n.canonical_doc_id)
        or not exists (
            select from corpus.near_duplicate as c where c.doc_id = n.canonical_doc_id
        )
    )
on conflict (doc_id) do nothing;
