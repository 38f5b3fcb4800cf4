insert into dedup_round_band (band, number)
select
    b.band,
    r.number
from dedup_round as r
cross join lateral (
    select x.band from corpus.near_duplicate_band as x
    where x.doc_id = r.doc_id
    offset 0
) as b
where r.leader = r.number and r.mode <> 'off';
