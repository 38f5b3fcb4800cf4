-- What became of the documents of a run: found in the corpus, or quarantined.
update serving.upload as u
set
    state = case when x.doc_id is null then 'failed' else 'ready' end,
    reason = case
        when x.doc_id is null then coalesce(x.detail, 'The file holds nothing to be searched.')
    end,
    doc_id = x.doc_id,
    content = case when x.doc_id is null then '' else u.content end,
    updated_at = now()
from (
    select
        r.upload_id,
        (
            select d.doc_id
            from corpus.document as d
            where d.source = %(source)s
            and d.status = 'current'
            and starts_with(d.file_path, r.upload_id::text || '/')
            order by length(d.key)
            limit 1
        ) as doc_id,
        (
            select q.detail
            from ops.quarantine as q
            where q.source = %(source)s and starts_with(q.path, r.upload_id::text || '/')
            order by length(q.key)
            limit 1
        ) as detail
    from serving.upload as r
    where r.conversation_id = %(conversation)s and r.state = 'running'
) as x
where u.upload_id = x.upload_id;
