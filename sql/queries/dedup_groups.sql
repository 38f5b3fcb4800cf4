-- Leaders of the round that share a band and their permissions.
select distinct array_agg(r.number order by r.number)
from dedup_round_band as b
inner join dedup_round as r on b.number = r.number
group by b.band, r.acl
having count(*) > 1;
