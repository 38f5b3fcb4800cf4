-- What was chosen once for a revision stands; the rule is asked once more, in the database.
insert into ops.generation_context (item_id, revision, ordinal, chunk_id, doc_id)
select
    i.item_id,
    i.revision,
    p.ordinal,
    p.chunk_id,
    p.doc_id
from ops.generation_item as i
cross join unnest(%(chunks)s::uuid[], %(documents)s::uuid[])
    with ordinality as p (chunk_id, doc_id, ordinal)
where
    i.item_id = %(item_id)s
    and i.doc_id <> p.doc_id
    and ops.context_allowed(i.doc_id, array[p.doc_id])
    and not exists (
        select from ops.generation_context as c
        where c.item_id = i.item_id and c.revision = i.revision
    )
on conflict do nothing;
