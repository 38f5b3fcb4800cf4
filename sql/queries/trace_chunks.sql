select
    c.chunk_id,
    c.ordinal,
    c.start_char,
    c.end_char,
    c.page,
    c.flags,
    c.input_hash,
    l.length as lexical_length
from corpus.chunk as c
left join corpus.chunk_lexical as l on c.chunk_id = l.chunk_id
where c.doc_id = %(doc_id)s and (c.chunk_id = %(identity)s or c.doc_id = %(identity)s)
order by c.ordinal;
