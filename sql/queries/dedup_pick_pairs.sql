-- Canonical neighbours that precede documents of the round.
insert into dedup_pair (number, doc_id)
select distinct
    r.number,
    n.doc_id
from dedup_neighbour as n
inner join dedup_sharing as s on n.doc_id = s.doc_id
inner join dedup_round_band as b on s.band = b.band
inner join dedup_round as r on b.number = r.number and n.acl = r.acl
where
    n.canonical
    and (n.priority, n.stated_at, n.source, n.key) < (r.priority, r.stated_at, r.source, r.key)
    and (n.exact_hash = r.exact_hash or (n.mode = 'near' and r.mode = 'near'));
