update ops.generation_item as i
set
    state = %(state)s,
    outcome = %(outcome)s,
    output = %(output)s,
    output_hash = %(output_hash)s,
    flags = %(flags)s,
    grounded_score = %(grounded_score)s,
    quality = %(quality)s,
    compliance_status = %(compliance_status)s,
    policy_versions = %(policy_versions)s,
    detail = %(detail)s,
    shown_title = %(shown_title)s,
    cost_usd = (
        select coalesce(sum(coalesce(c.cost_usd, c.reserved_usd)), 0)
        from ops.llm_call as c
        where c.item_id = i.item_id
    ),
    context = coalesce(
        (
            select array_agg(distinct c.doc_id)
            from ops.generation_context as c
            where c.item_id = i.item_id and c.revision = %(revision)s
        ), '{}'
    ),
    run_id = %(run_id)s,
    generated_at = coalesce(
        case when i.output_hash = %(output_hash)s then i.generated_at end, now()
    )
where
    i.item_id = %(item_id)s
    -- A decision of a person about this very output stands.
    and not exists (
        select from ops.review as r
        where
            r.item_id = i.item_id
            and r.state in ('approved', 'rejected')
            and r.output_hash = %(output_hash)s
    )
returning i.item_id
