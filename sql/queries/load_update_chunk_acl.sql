update corpus.chunk as c
set acl = d.acl
from staged_document as s
inner join corpus.document as d on s.doc_id = d.doc_id
where c.doc_id = d.doc_id and c.acl <> d.acl;
