select
    e.item_id,
    i.task,
    e.action,
    e.decided_by,
    e.decided_at,
    e.reason,
    e.before_hash,
    e.after_hash
from ops.review_event as e
inner join ops.generation_item as i on e.item_id = i.item_id
where i.doc_id = %(doc_id)s
order by e.event_id;
