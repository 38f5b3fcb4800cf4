-- Decided canonical documents that precede documents of the round and share a band with them.
-- Each band is looked up once, however many documents hold it.
with sharing as materialized (
    select
        b.band,
        x.doc_id
    from (select distinct band from dedup_round_band) as b
    cross join lateral (
        select h.doc_id from corpus.near_duplicate_band as h
        where h.band = b.band
        offset 0
    ) as x
    where not exists (select from dedup_work as w where w.doc_id = x.doc_id and w.pending)
),

canonical as materialized (
    select
        n.doc_id,
        n.acl,
        n.mode,
        n.exact_hash,
        n.priority,
        coalesce(n.stated_at, 'infinity') as stated_at,
        n.source collate "C" as source,
        n.key collate "C" as key
    from (select distinct doc_id from sharing) as s
    cross join lateral (
        select * from corpus.near_duplicate as h
        where h.doc_id = s.doc_id
        offset 0
    ) as n
    where n.canonical_doc_id is null and n.mode <> 'off'
)

insert into dedup_pair (number, doc_id)
select distinct
    r.number,
    c.doc_id
from canonical as c
inner join sharing as s on c.doc_id = s.doc_id
inner join dedup_round_band as b on s.band = b.band
inner join dedup_round as r
    on
        b.number = r.number
        and c.acl = r.acl
        and (c.priority, c.stated_at, c.source, c.key)
        < (r.priority, r.stated_at, r.source, r.key)
        and (c.exact_hash = r.exact_hash or (c.mode = 'near' and r.mode = 'near'));
