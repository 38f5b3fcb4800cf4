update corpus.chunk as c
set acl = d.acl
from corpus.document as d
where
    d.source in (select s.source from staged_quarantine as s)
    and d.stale
    and c.doc_id = d.doc_id
    and c.acl <> d.acl;
