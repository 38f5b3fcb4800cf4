select
    r.number,
    r.doc_id,
    n.exact_hash,
    n.mode,
    n.signature,
    n.priority,
    (extract(epoch from n.stated_at) * 1000000)::bigint as stated_at,
    n.source,
    n.key
from dedup_round as r
inner join corpus.near_duplicate as n on r.doc_id = n.doc_id
where
    r.number = any(%(numbers)s::integer[])
    or r.number in (select p.number from dedup_pair as p)
order by r.number;
