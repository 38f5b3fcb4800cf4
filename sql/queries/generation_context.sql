-- The passages that a question about these items shows, in their order.
select
    c.item_id,
    c.chunk_id,
    c.doc_id
from ops.generation_context as c
inner join ops.generation_item as i on c.item_id = i.item_id and c.revision = i.revision
where i.item_id = any(%(items)s)
order by c.item_id, c.ordinal;
