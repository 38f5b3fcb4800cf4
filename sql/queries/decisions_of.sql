select
    n.doc_id::text as doc_id,
    n.fence,
    n.canonical_doc_id,
    d.content_hash,
    d.language,
    d.status = 'current' and d.versions = %(versions)s::jsonb as up_to_date,
    d.status = 'current' and d.versions ->> 'entities' = %(entities)s as mentions_up_to_date
from corpus.near_duplicate as n
left join corpus.document as d on n.doc_id = d.doc_id
where n.doc_id = any(%(doc_ids)s::uuid[]);
