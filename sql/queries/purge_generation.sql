-- Replies, outputs, findings and reviews hold what documents say; the ledger holds ids and numbers.
-- Reasons of decisions go with their item, by a trigger.
with gone as (
    delete from ops.generation_item
    where source = %(source)s
)

delete from warehouse.finding
where source = %(source)s
