-- Vectors of texts that no other source's document holds.
delete from corpus.vector_cache as v
where
    v.input_hash in (
        select c.input_hash
        from corpus.chunk as c
        inner join corpus.document as d on c.doc_id = d.doc_id
        where d.source = %(source)s
    )
    and not exists (
        select from corpus.chunk as c
        inner join corpus.document as d on c.doc_id = d.doc_id
        where c.input_hash = v.input_hash and d.source <> %(source)s
    );
