select
    w.item_id,
    w.task,
    w.source,
    i.flags,
    w.asked_at,
    w.asked_in,
    w.asked_batch,
    w.edited,
    d.uri,
    d.acl,
    coalesce(
        nullif(d.title, ''), nullif(d.record_id, ''), regexp_replace(d.file_path, '^.*/', '')
    ) as title,
    count(*) over ()::integer as matching
from ops.waiting_review as w
inner join ops.generation_item as i on w.item_id = i.item_id
inner join corpus.document as d on w.doc_id = d.doc_id
where
    (d.acl = '{}' or d.acl && %(groups)s::text[])
    and (%(run)s::text is null or w.asked_in = %(run)s)
    and (%(batch)s::integer is null or w.asked_batch = %(batch)s)
    and (%(source)s::text is null or w.source = %(source)s)
    and (%(flag)s::text is null or %(flag)s = any(i.flags))
order by w.asked_batch nulls last, w.source, w.asked_at, w.item_id
limit %(most)s
