select
    f.flag,
    count(*)::integer as documents
from ops.waiting_review as w
inner join ops.generation_item as i on w.item_id = i.item_id
cross join lateral unnest(i.flags) as f (flag)
where w.asked_in = %(run_id)s and w.asked_batch = %(batch)s
group by f.flag
order by count(*) desc, f.flag
