-- Quarantine holds what stands in a bad place, and nothing else.
delete from ops.quarantine as q
where
    q.source = %(source)s
    and not exists (
        select from corpus.place as p
        where p.source = q.source and p.path = q.path and p.key = q.key and p.state = 'bad'
    );
