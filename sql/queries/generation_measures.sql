-- What a run has settled: one of the generation by its replies, one of the review by decisions.
select
    i.doc_id,
    (i.state <> 'blocked' and i.outcome is null)::integer as without_outcome,
    (
        i.outcome = 'success'
        and not exists (
            select from ops.llm_request as q
            where q.item_id = i.item_id and q.outcome = 'success'
        )
    )::integer as unanswered,
    (
        i.state <> 'blocked' and i.outcome = 'success' and i.output is null
    )::integer as without_output,
    i.grounded_score::float8 as grounded_score,
    i.cost_usd::float8 as cost_usd,
    -- Where it was bought again in vain, what was published before stands.
    (
        w.item_id is not null
        and i.state not in ('clean', 'failed')
        and coalesce(w.approved_by, '') = ''
    )::integer as unapproved,
    (
        w.item_id is not null
        and i.state <> 'failed'
        and w.output_hash is distinct from i.output_hash
    )::integer as other_output,
    (w.acl is distinct from d.acl and w.item_id is not null)::integer as acl_errors,
    (w.content_hash is distinct from d.content_hash and w.item_id is not null)::integer as outdated,
    length(w.summary) as summary_length
from ops.generation_item as i
left join corpus.document as d on i.doc_id = d.doc_id
left join (
    select
        s.item_id,
        s.output_hash,
        s.acl,
        s.content_hash,
        s.approved_by,
        s.summary
    from warehouse.summary as s
    union all
    select
        r.item_id,
        r.output_hash,
        r.acl,
        r.content_hash,
        r.approved_by,
        null as summary
    from warehouse.record as r
) as w on i.item_id = w.item_id
where
    (i.run_id = %(run_id)s and i.state <> 'planned')
    or i.item_id in (
        select v.item_id
        from ops.review as v
        where v.asked_in = %(run_id)s and v.state in ('approved', 'rejected')
    )
