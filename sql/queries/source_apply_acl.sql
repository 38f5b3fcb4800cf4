update corpus.document as d
set acl = corpus.effective_acl(s.acl, d.own_acl)
from corpus.source as s
where
    s.name = %(source)s
    and d.source = s.name
    and d.acl <> corpus.effective_acl(s.acl, d.own_acl);
