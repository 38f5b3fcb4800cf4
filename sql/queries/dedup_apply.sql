with decided as (
    select
        r.doc_id,
        case
            when v.number is not null then v.canonical_doc_id
            when r.leader <> r.number then l.doc_id
        end as canonical_doc_id,
        case
            when v.number is not null then v.similarity
            when r.leader <> r.number then 1::real
        end as similarity
    from dedup_round as r
    inner join dedup_round as l on r.leader = l.number
    left join dedup_verdict as v on r.leader = v.number
)

update corpus.near_duplicate as n
set canonical_doc_id = d.canonical_doc_id, similarity = d.similarity
from decided as d
where
    n.doc_id = d.doc_id
    and (n.canonical_doc_id, n.similarity) is distinct from (d.canonical_doc_id, d.similarity);
