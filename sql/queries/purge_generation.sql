-- Replies, outputs, findings and reviews hold what documents say; the ledger holds ids and numbers.
-- Reasons of decisions go with their item, by a trigger. Passages of a document may stand in what
-- was made of others: that goes, too, and the next run makes it anew.
with leaving as (
    select i.item_id
    from ops.generation_item as i
    where
        i.source = %(source)s
        or i.item_id in (
            select c.item_id
            from ops.generation_context as c
            inner join corpus.document as d on c.doc_id = d.doc_id
            where d.source = %(source)s
        )
),

summaries as (
    delete from warehouse.summary
    where item_id in (select item_id from leaving)
),

records as (
    delete from warehouse.record
    where item_id in (select item_id from leaving)
),

gone as (
    delete from ops.generation_item
    where item_id in (select item_id from leaving)
)

delete from warehouse.finding
where source = %(source)s or item_id in (select item_id from leaving)
