select
    a.answer_id,
    a.model,
    a.prompt_version,
    a.created_at,
    p.item ->> 'chunk_id' as chunk_id,
    (p.item ->> 'cited')::boolean as cited
from serving.answer as a
cross join lateral jsonb_array_elements(a.passages) as p (item)
where
    a.documents @> array[%(doc_id)s]
    and p.item ->> 'doc_id' = %(doc_id)s::text
    and (%(identity)s = %(doc_id)s or p.item ->> 'chunk_id' = %(identity)s::text)
order by a.created_at desc
limit 100;
