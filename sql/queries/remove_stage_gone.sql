insert into staged_gone (source, doc_id)
select
    source,
    doc_id
from corpus.document
where source = %(source)s and status <> 'deleted';
