-- What stood on passages that some of its readers may not read is bought again, as if never made.
update ops.generation_item as i
set
    state = 'planned',
    outcome = null,
    output = null,
    output_hash = null,
    flags = '{}',
    context = '{}',
    revision = i.revision + 1
where i.item_id = any(%(items)s) and not ops.context_allowed(i.doc_id, i.context);
