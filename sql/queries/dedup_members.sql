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
cross join lateral (
    select * from corpus.near_duplicate as x
    where x.doc_id = r.doc_id
    offset 0
) as n
where
    r.number = any(%(numbers)s::integer[])
    or r.number in (select p.number from dedup_pair as p)
order by r.number;
