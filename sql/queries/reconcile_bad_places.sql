-- A place whose very content is in quarantine is bad, whichever run found it so.
update corpus.place as p
set state = 'bad'
from ops.quarantine as q
inner join corpus.file as f on q.source = f.source and q.path = f.path
where
    p.source = %(source)s
    and q.source = p.source
    and q.path = p.path
    and q.key = p.key
    and p.state = 'ok'
    and q.source_hash in (p.source_hash || f.meta_hash, p.source_hash);
