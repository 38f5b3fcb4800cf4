-- Later documents that share a band with what the round has made canonical, unless they are
-- duplicates of something earlier still.
with elected as materialized (
    select r.* from dedup_round as r
    inner join corpus.near_duplicate as n on r.doc_id = n.doc_id
    where
        n.canonical_doc_id is null
        and r.mode <> 'off'
        and (r.spread or not r.was_canonical)
),

sharing as materialized (
    select
        b.band,
        x.doc_id
    from (
        select distinct rb.band
        from dedup_round_band as rb
        inner join elected as e on rb.number = e.number
    ) as b
    cross join lateral (
        select h.doc_id from corpus.near_duplicate_band as h
        where h.band = b.band
        offset 0
    ) as x
    where
        not exists (select from dedup_round as r where r.doc_id = x.doc_id)
        and not exists (select from dedup_work as w where w.doc_id = x.doc_id and w.pending)
),

later as materialized (
    select
        n.doc_id,
        n.acl,
        n.mode,
        n.exact_hash,
        n.priority,
        coalesce(n.stated_at, 'infinity') as stated_at,
        n.source collate "C" as source,
        n.key collate "C" as key,
        n.canonical_doc_id,
        c.priority as canonical_priority,
        coalesce(c.stated_at, 'infinity') as canonical_stated_at,
        c.source collate "C" as canonical_source,
        c.key collate "C" as canonical_key
    from (select distinct doc_id from sharing) as s
    cross join lateral (
        select * from corpus.near_duplicate as h
        where h.doc_id = s.doc_id
        offset 0
    ) as n
    left join corpus.near_duplicate as c on n.canonical_doc_id = c.doc_id
    where n.mode <> 'off'
)

insert into dedup_work as w (doc_id, priority, stated_at, source, key, spread, was_canonical)
select distinct
    l.doc_id,
    l.priority,
    l.stated_at,
    l.source,
    l.key,
    false,
    l.canonical_doc_id is null
from later as l
inner join sharing as s on l.doc_id = s.doc_id
inner join dedup_round_band as b on s.band = b.band
inner join elected as e
    on
        b.number = e.number
        and l.acl = e.acl
        and (e.priority, e.stated_at, e.source, e.key)
        < (l.priority, l.stated_at, l.source, l.key)
        and (l.exact_hash = e.exact_hash or (l.mode = 'near' and e.mode = 'near'))
where
    l.canonical_doc_id is null
    or (e.priority, e.stated_at, e.source, e.key)
    < (l.canonical_priority, l.canonical_stated_at, l.canonical_source, l.canonical_key)
on conflict (doc_id) do update set pending = true where not w.pending;
