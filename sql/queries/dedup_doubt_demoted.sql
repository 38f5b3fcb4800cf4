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
left join dedup_verdict as v on r.leader = v.number
cross join lateral (
    select * from corpus.near_duplicate as x
    where x.canonical_doc_id = r.doc_id
    offset 0
) as n
where r.was_canonical and (v.number is not null or r.leader <> r.number)
on conflict (doc_id) do update set pending = true where not w.pending;
