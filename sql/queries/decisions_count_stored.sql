select
    count(*) as documents,
    coalesce(sum(length(d.text)), 0) as chars
from corpus.document as d
left join corpus.near_duplicate as n on d.doc_id = n.doc_id
where
    n.canonical_doc_id is null
    and (
        d.status = 'duplicate'
        or (d.status = 'current' and d.versions <> %(versions)s::jsonb)
    )
    and not exists (select from brought as b where b.doc_id = d.doc_id);
