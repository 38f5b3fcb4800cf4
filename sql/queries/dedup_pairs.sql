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
inner join corpus.near_duplicate as n on p.doc_id = n.doc_id
order by
    p.number, n.priority, coalesce(n.stated_at, 'infinity'), n.source collate "C", n.key collate "C";
