update corpus.chunk as c
set acl = d.acl
from corpus.document as d
inner join staged_quarantine as s
    on
        d.source = s.source
        and (d.doc_id = s.doc_id or (s.key = 'file:' || s.path and d.file_path = s.path))
where c.doc_id = d.doc_id and c.acl <> d.acl;
