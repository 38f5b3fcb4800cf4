-- What was generated about a document, with the calls that were paid for it.
select
    i.item_id,
    i.task,
    i.state,
    i.outcome,
    i.model,
    i.prompt_version,
    i.content_hash,
    i.flags,
    i.grounded_score,
    i.compliance_status,
    i.policy_versions,
    i.context,
    i.run_id,
    i.generated_at,
    coalesce(s.published_at, r.published_at) as published_at,
    c.calls,
    c.prompt_tokens,
    c.completion_tokens,
    c.cost_usd
from ops.generation_item as i
left join warehouse.summary as s on i.item_id = s.item_id and i.output_hash = s.output_hash
left join warehouse.record as r on i.item_id = r.item_id and i.output_hash = r.output_hash
cross join lateral (
    select
        count(*) as calls,
        coalesce(sum(l.prompt_tokens), 0) as prompt_tokens,
        coalesce(sum(l.completion_tokens), 0) as completion_tokens,
        coalesce(sum(l.cost_usd), 0)::double precision as cost_usd
    from ops.llm_call as l
    where l.item_id = i.item_id
) as c
where i.doc_id = %(doc_id)s
order by i.planned_at, i.task;
