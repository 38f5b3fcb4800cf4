delete from corpus.file as f
using staged_gone as g
where f.source = %(source)s and g.source = f.source and g.path = f.path;
