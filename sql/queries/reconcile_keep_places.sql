-- What was not seen in a file that could not be read whole is kept, but not counted as listed;
-- its bad lines of before are no more.
with unseen as (
    select
        p.source,
        p.path,
        p.key,
        p.occurrence,
        p.state
    from corpus.place as p
    inner join staged_file as f on p.source = f.source and p.path = f.path
    where
        p.source = %(source)s
        and (f.state = 'problem' or (f.state = 'read' and not f.whole))
        and not exists (
            select from staged_place as s
            where
                s.source = p.source
                and s.path = p.path
                and s.key = p.key
                and s.occurrence = p.occurrence
        )
),

dropped as (
    delete from corpus.place as p
    using unseen as u
    where
        p.source = u.source
        and p.path = u.path
        and p.key = u.key
        and p.occurrence = u.occurrence
        and u.state = 'bad'
)

update corpus.place as p
set state = 'kept'
from unseen as u
where
    p.source = u.source
    and p.path = u.path
    and p.key = u.key
    and p.occurrence = u.occurrence
    and u.state = 'ok';
