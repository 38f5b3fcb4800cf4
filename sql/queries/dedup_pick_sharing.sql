-- Who outside the round holds a band of the round. Each band is looked up once, however many
-- documents of the round hold it, and by the index, whatever the planner believes of its values.
with holder as materialized (
    select
        b.band,
        x.doc_id
    from (select distinct band from dedup_round_band) as b
    cross join lateral (
        select h.doc_id from corpus.near_duplicate_band as h
        where h.band = b.band
        offset 0
    ) as x
)

insert into dedup_sharing (band, doc_id)
select
    h.band,
    h.doc_id
from holder as h
where not exists (select from dedup_work as w where w.doc_id = h.doc_id and w.pending);
