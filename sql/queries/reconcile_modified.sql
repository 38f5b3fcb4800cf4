-- A document that states no date carries its file's.
update corpus.document as d
set modified_at = to_timestamp(s.mtime_ns / 1e9)
from staged_file as s
where
    d.source = %(source)s
    and s.source = d.source
    and s.path = d.file_path
    and d.stated_at is null
    and d.status <> 'deleted'
    and not d.stale
    and s.state in ('touched', 'read')
    and d.modified_at <> to_timestamp(s.mtime_ns / 1e9);
