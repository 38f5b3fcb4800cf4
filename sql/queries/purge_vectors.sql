-- All vectors but those of texts that another source's document holds: also what earlier versions
-- and retired documents left behind.
delete from corpus.vector_cache as v
where not exists (
    select from corpus.chunk as c
    inner join corpus.document as d on c.doc_id = d.doc_id
    where c.input_hash = v.input_hash and d.source <> %(source)s
);
