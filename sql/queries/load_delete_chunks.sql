-- Passages that their document no longer has, or that left with its being current.
delete from corpus.chunk as c
using staged_document as s
where
    c.doc_id = s.doc_id
    and (
        s.status <> 'current'
        or (
            s.has_passages
            and not exists (select from staged_chunk as n where n.chunk_id = c.chunk_id)
        )
    );
