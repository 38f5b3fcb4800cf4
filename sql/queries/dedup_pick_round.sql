-- The first pending documents in the order. What precedes a document of the round is in the
-- round or decided.
insert into dedup_round
select
    w.number,
    w.doc_id,
    case
        when n.mode = 'off' then w.number
        else min(w.number) over (partition by n.exact_hash, n.acl, n.mode)
    end,
    w.priority,
    w.stated_at,
    w.source,
    w.key,
    n.acl,
    n.mode,
    n.exact_hash,
    w.spread,
    n.canonical_doc_id is null
from (
    select
        *,
        row_number() over (order by priority, stated_at, source, key) as number
    from dedup_work
    where pending
    order by priority, stated_at, source, key
    limit %(size)s
) as w
cross join lateral (
    select * from corpus.near_duplicate as x
    where x.doc_id = w.doc_id
    offset 0
) as n;
