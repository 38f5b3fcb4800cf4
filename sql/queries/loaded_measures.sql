select
    d.doc_id::text as doc_id,
    length(d.text) as text_length,
    d.language,
    x.passages,
    x.passages - coalesce(v.vectors, 0) as vectors_missing,
    x.passages - x.lexical as lexical_missing,
    x.offset_errors,
    x.acl_errors,
    coalesce(v.norm_error, 1) as norm_error
from corpus.document as d
cross join lateral (
    select
        count(*) as passages,
        count(l.chunk_id) as lexical,
        count(*) filter (
            where substr(d.text, c.start_char + 1, c.end_char - c.start_char) <> c.text
        ) as offset_errors,
        count(*) filter (where c.acl <> d.acl) as acl_errors
    from corpus.chunk as c
    left join corpus.chunk_lexical as l on c.chunk_id = l.chunk_id
    where c.doc_id = d.doc_id
) as x
left join corpus.vector_check(%(table_name)s, %(doc_ids)s::uuid[]) as v on d.doc_id = v.doc_id
where d.doc_id = any(%(doc_ids)s::uuid[]);
