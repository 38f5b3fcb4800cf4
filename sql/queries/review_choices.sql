with visible as (
    select w.asked_in, w.asked_batch, w.source, i.flags
    from ops.waiting_review as w
    inner join ops.generation_item as i on w.item_id = i.item_id
    inner join corpus.document as d on w.doc_id = d.doc_id
    where d.acl = '{}' or d.acl && %(groups)s::text[]
)

select
    (select count(*)::integer from ops.waiting_review) as waiting,
    (select count(*)::integer from visible) as visible,
    (
        select coalesce(jsonb_agg(distinct jsonb_build_array(v.asked_in, v.asked_batch)), '[]')
        from visible as v
        where v.asked_in is not null
    ) as batches,
    (select coalesce(jsonb_agg(distinct v.source), '[]') from visible as v) as sources,
    (
        select coalesce(jsonb_agg(distinct f.flag), '[]')
        from visible as v
        cross join lateral unnest(v.flags) as f (flag)
    ) as flags
