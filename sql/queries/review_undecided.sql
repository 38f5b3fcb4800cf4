select
    w.item_id,
    w.output_hash
from ops.waiting_review as w
where w.asked_in = %(run_id)s and w.asked_batch = %(batch)s and not w.edited
order by w.item_id
