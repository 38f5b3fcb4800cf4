insert into ops.generation_item as i (
    item_id, task, doc_id, source, content_hash, input_hash, prompt_version, model, schema_hash,
    fence, run_id
)
values (
    %(item_id)s,
    %(task)s,
    %(doc_id)s,
    %(source)s,
    %(content_hash)s,
    %(input_hash)s,
    %(prompt_version)s,
    %(model)s,
    %(schema_hash)s,
    %(fence)s,
    %(run_id)s
)
on conflict (item_id) do update set
    fence = greatest(i.fence, excluded.fence),
    revision = case
        when %(again)s and i.run_id <> excluded.run_id then i.revision + 1
        else i.revision
    end,
    run_id = excluded.run_id
