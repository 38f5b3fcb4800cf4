select
    n.doc_id,
    n.source,
    n.similarity
from corpus.near_duplicate as n
where n.canonical_doc_id = %(doc_id)s
order by n.doc_id;
