-- What is kept because its file could not be read whole is shown as such.
update corpus.document as d
set stale = true
from corpus.place as p
where
    p.source = %(source)s
    and p.state = 'kept'
    and d.doc_id = p.doc_id
    and d.file_path = p.path
    and d.status <> 'deleted'
    and not d.stale;
