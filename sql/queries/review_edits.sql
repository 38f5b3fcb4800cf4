select
    r.item_id,
    r.proposal,
    r.proposal_hash,
    r.warned,
    i.task,
    i.doc_id,
    i.source,
    i.flags,
    d.text,
    d.language,
    coalesce(
        nullif(d.title, ''), nullif(d.record_id, ''), regexp_replace(d.file_path, '^.*/', '')
    ) as title
from ops.waiting_review as w
inner join ops.review as r on w.item_id = r.item_id
inner join ops.generation_item as i on w.item_id = i.item_id
inner join corpus.document as d on w.doc_id = d.doc_id
where w.edited
order by w.item_id
