-- A document that states no date carries its file's, in whole microseconds.
update corpus.document as d
set modified_at = s.modified_at
from (
    select
        source,
        path,
        state,
        timestamptz 'epoch' + floor(mtime_ns / 1000.0) * interval '1 microsecond' as modified_at
    from staged_file
) as s
where
    d.source = %(source)s
    and s.source = d.source
    and s.path = d.file_path
    and d.stated_at is null
    and d.status <> 'deleted'
    and not d.stale
    and s.state in ('touched', 'read')
    and d.modified_at <> s.modified_at;
