insert into corpus.chunk as c (
    chunk_id,
    doc_id,
    ordinal,
    start_char,
    end_char,
    page,
    heading_path,
    text,
    acl,
    flags,
    flag_spans,
    input_hash
)
select
    n.chunk_id,
    n.doc_id,
    n.ordinal,
    n.start_char,
    n.end_char,
    n.page,
    n.heading_path,
    n.text,
    d.acl,
    n.flags,
    n.flag_spans,
    n.input_hash
from staged_chunk as n
inner join staged_document as s on n.doc_id = s.doc_id
inner join corpus.document as d on s.doc_id = d.doc_id
order by n.chunk_id
on conflict (chunk_id) do update
set
    ordinal = excluded.ordinal,
    start_char = excluded.start_char,
    end_char = excluded.end_char,
    page = excluded.page,
    heading_path = excluded.heading_path,
    acl = excluded.acl,
    flags = excluded.flags,
    flag_spans = excluded.flag_spans,
    input_hash = excluded.input_hash
where
    (
        c.ordinal,
        c.start_char,
        c.end_char,
        c.page,
        c.heading_path,
        c.acl,
        c.flags,
        c.flag_spans,
        c.input_hash
    ) is distinct from (
        excluded.ordinal,
        excluded.start_char,
        excluded.end_char,
        excluded.page,
        excluded.heading_path,
        excluded.acl,
        excluded.flags,
        excluded.flag_spans,
        excluded.input_hash
    );
