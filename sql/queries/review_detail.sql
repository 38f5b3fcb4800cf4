select
    r.item_id,
    r.state,
    r.output_hash,
    r.asked_at,
    r.asked_in,
    r.asked_batch,
    r.proposal,
    r.refused,
    r.decided_by,
    r.decided_at,
    r.reason,
    i.task,
    i.doc_id,
    i.source,
    i.model,
    i.output,
    i.flags,
    i.grounded_score,
    i.quality,
    i.compliance_status,
    i.generated_at,
    d.text,
    d.language,
    d.uri,
    d.acl,
    i.content_hash = d.content_hash and d.status = 'current' as is_current,
    -- Of several results about the same content the newest that may be is published.
    exists(
        select
        from ops.generation_item as n
        left join ops.review as o on n.item_id = o.item_id and n.output_hash = o.output_hash
        where
            n.task = i.task
            and n.doc_id = i.doc_id
            and n.content_hash = i.content_hash
            and n.item_id <> i.item_id
            and n.generated_at > i.generated_at
            and (n.state = 'clean' or o.state = 'approved')
    ) as has_newer,
    coalesce(
        nullif(d.title, ''), nullif(d.record_id, ''), regexp_replace(d.file_path, '^.*/', '')
    ) as title,
    (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'direction', f.direction, 'rule', f.rule, 'kind', f.kind,
                    'severity', f.severity, 'action', f.action, 'start', f.start_char,
                    'end', f.end_char, 'evidence', f.evidence
                )
                order by f.direction desc, f.start_char, f.number
            ), '[]'
        )
        from warehouse.finding as f
        where f.item_id = r.item_id
    ) as findings,
    (
        select coalesce(jsonb_agg(s.span order by (s.span ->> 'start_char')::integer), '[]')
        from corpus.chunk as c
        cross join lateral jsonb_array_elements(c.flag_spans) as s (span)
        where c.doc_id = d.doc_id
    ) as injected,
    (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'action', e.action, 'by', e.decided_by, 'at', e.decided_at, 'reason', e.reason
                )
                order by e.event_id
            ), '[]'
        )
        from ops.review_event as e
        where e.item_id = r.item_id
    ) as events
from ops.review as r
inner join ops.generation_item as i on r.item_id = i.item_id
inner join corpus.document as d on i.doc_id = d.doc_id
where
    r.item_id = %(item_id)s
    and (d.acl = '{}' or d.acl && %(groups)s::text[])
