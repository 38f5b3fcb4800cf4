-- In slices, because the check of the foreign key keeps every new row in memory until the end of
-- the statement; in the order of the index.
insert into corpus.near_duplicate_band (band, doc_id)
select distinct
    x.band,
    i.doc_id
from dedup_incoming as i
cross join lateral unnest(i.bands) as x (band)
where
    i.ordinal >= %(first)s
    and i.ordinal < %(behind)s
    and not exists (select from corpus.near_duplicate_band as b where b.doc_id = i.doc_id)
order by x.band;
