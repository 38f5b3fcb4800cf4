-- Neighbours that come later than what the round has made canonical, unless they are duplicates
-- of something earlier still.
insert into dedup_work as w (doc_id, priority, stated_at, source, key, spread, was_canonical)
select distinct
    n.doc_id,
    n.priority,
    n.stated_at,
    n.source,
    n.key,
    false,
    n.canonical
from dedup_round as r
left join dedup_verdict as v on r.number = v.number
inner join dedup_round_band as b on r.number = b.number
inner join dedup_sharing as s on b.band = s.band
inner join dedup_neighbour as n on s.doc_id = n.doc_id and r.acl = n.acl
where
    v.number is null
    and (r.spread or not r.was_canonical)
    and (r.priority, r.stated_at, r.source, r.key) < (n.priority, n.stated_at, n.source, n.key)
    and (n.exact_hash = r.exact_hash or (n.mode = 'near' and r.mode = 'near'))
    and (
        n.canonical
        or (r.priority, r.stated_at, r.source, r.key)
        < (n.canonical_priority, n.canonical_stated_at, n.canonical_source, n.canonical_key)
    )
on conflict (doc_id) do update set pending = true where not w.pending;
