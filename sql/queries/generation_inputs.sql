select
    i.item_id,
    i.doc_id,
    i.source,
    i.content_hash,
    i.input_hash,
    i.revision,
    d.fence,
    d.text,
    d.metadata,
    d.language,
    d.acl,
    coalesce(
        nullif(d.title, ''), nullif(d.record_id, ''), regexp_replace(d.file_path, '^.*/', '')
    ) as title,
    d.title as stated_title,
    (
        select coalesce(jsonb_agg(f.span order by (f.span ->> 'start_char')::integer), '[]')
        from corpus.chunk as c
        cross join lateral jsonb_array_elements(c.flag_spans) as f (span)
        where c.doc_id = d.doc_id
    ) as flagged,
    (
        select coalesce(jsonb_agg(e.entity order by e.mentions desc, e.name), '[]')
        from (
            select
                n.name,
                count(*) as mentions,
                jsonb_build_object(
                    'entity_id', n.entity_id, 'name', n.name, 'label', n.label, 'mentions', count(*)
                ) as entity
            from corpus.mention as m
            inner join corpus.entity as n on m.entity_id = n.entity_id
            where m.doc_id = d.doc_id
            group by n.entity_id, n.name, n.label
            order by count(*) desc, n.name
            limit 20
        ) as e
    ) as entities,
    (
        select coalesce(
            jsonb_agg(
                jsonb_build_array(m.start_char, m.end_char, m.text, m.label, m.entity_id)
                order by m.start_char
            ), '[]'
        )
        from corpus.mention as m
        where m.doc_id = d.doc_id
    ) as mentions
from ops.generation_item as i
inner join corpus.document as d
    on i.doc_id = d.doc_id and i.content_hash = d.content_hash and d.status = 'current'
where i.item_id = any(%(items)s)
