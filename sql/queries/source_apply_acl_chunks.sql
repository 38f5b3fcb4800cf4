update corpus.chunk as c
set acl = d.acl
from corpus.document as d
where d.source = %(source)s and c.doc_id = d.doc_id and c.acl <> d.acl;
