insert into ops.generation_run as g (
    run_id, task, model, prompt_version, schema_hash, budget_usd, documents, estimate
)
values (
    %(run_id)s,
    %(task)s,
    %(model)s,
    %(prompt_version)s,
    %(schema_hash)s,
    %(budget_usd)s,
    %(documents)s,
    %(estimate)s
)
on conflict (run_id) do update set
    model = excluded.model,
    prompt_version = excluded.prompt_version,
    schema_hash = excluded.schema_hash,
    budget_usd = excluded.budget_usd,
    documents = excluded.documents,
    estimate = excluded.estimate
