-- Replies, outputs, findings and reviews hold what documents say; the ledger holds ids and numbers.
with gone as (
    delete from ops.generation_item
    where source = %(source)s
    returning item_id
),

findings as (
    delete from warehouse.finding
    where source = %(source)s
)

update ops.review_event as e
set reason = null
from gone as g
where e.item_id = g.item_id
