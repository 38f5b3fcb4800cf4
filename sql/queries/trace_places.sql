select
    p.path,
    p.key,
    p.occurrence,
    p.row_number,
    p.state,
    p.updated_at,
    p.source_hash
from corpus.place as p
where p.doc_id = %(doc_id)s
order by p.path, p.row_number, p.occurrence;
