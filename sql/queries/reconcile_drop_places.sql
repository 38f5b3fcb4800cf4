-- What a file that was read whole no longer holds stands there no longer.
delete from corpus.place as p
using staged_file as f
where
    p.source = %(source)s
    and f.source = p.source
    and f.path = p.path
    and f.state = 'read'
    and f.whole
    and not exists (
        select from staged_place as s
        where
            s.source = p.source
            and s.path = p.path
            and s.key = p.key
            and s.occurrence = p.occurrence
    );
