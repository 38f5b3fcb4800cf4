select
    p.number,
    n.doc_id,
    n.exact_hash,
    n.mode,
    n.signature,
    n.priority,
    (extract(epoch from n.stated_at) * 1000000)::bigint as stated_at,
    n.source,
    n.key
from dedup_pair as p
cross join lateral (
    select * from corpus.near_duplicate as x
    where x.doc_id = p.doc_id
    offset 0
) as n
order by
    p.number,
    n.priority,
    coalesce(n.stated_at, 'infinity'),
    n.source collate "C",
    n.key collate "C";
