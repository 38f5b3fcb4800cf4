-- Refuse what is older than the last listing of its source or than what is stored. A row from the
-- store holds only as long as the store still has that very version.
delete from staged_document as s
using corpus.source as c
left join ops.listing as l on c.name = l.source
where
    c.name = s.source
    and (
        c.removed_at is not null
        or (not s.stored and s.fence < coalesce(l.fence, 0))
        or exists (
            select from corpus.document as d
            where d.doc_id = s.doc_id and d.fence > s.fence
        )
        or (
            s.stored
            and not exists (
                select from corpus.document as d
                where
                    d.doc_id = s.doc_id
                    and d.fence = s.fence
                    and d.status <> 'deleted'
                    and d.content_hash = s.content_hash
            )
        )
    );
