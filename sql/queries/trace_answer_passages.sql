select
    (p.item ->> 'chunk_id')::uuid as chunk_id,
    (p.item ->> 'doc_id')::uuid as doc_id,
    (p.item ->> 'sent')::boolean as sent,
    (p.item ->> 'cited')::boolean as cited,
    (p.item ->> 'start_char')::integer as start_char,
    (p.item ->> 'end_char')::integer as end_char,
    p.item ->> 'content_hash' as content_hash,
    coalesce(p.item ->> 'content_hash' = d.content_hash, false) as still_current,
    d.uri,
    d.source_hash,
    f.uri as file_uri,
    f.source_hash as file_hash
from serving.answer as a
cross join lateral jsonb_array_elements(a.passages) with ordinality as p (item, place)
left join corpus.document as d on (p.item ->> 'doc_id')::uuid = d.doc_id
left join corpus.file as f on d.source = f.source and d.file_path = f.path
where a.answer_id = %(identity)s
order by p.place;
