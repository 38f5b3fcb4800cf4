-- Without a hash a file is read again by the next run.
insert into corpus.file as f (source, path, uri, kind, size, mtime_ns, source_hash, meta_hash)
select
    s.source,
    s.path,
    s.uri,
    s.kind,
    s.size,
    s.mtime_ns,
    case
        when s.state = 'read' and s.kind = 'document' then r.source_hash
        when s.state in ('read', 'touched', 'same') then s.source_hash
    end as source_hash,
    s.meta_hash
from staged_file as s
left join staged_read as r on s.source = r.source and s.path = r.path
where s.source = %(source)s and s.state <> 'same'
on conflict (source, path) do update
set
    uri = excluded.uri,
    kind = excluded.kind,
    size = excluded.size,
    mtime_ns = excluded.mtime_ns,
    source_hash = excluded.source_hash,
    meta_hash = excluded.meta_hash
where
    (f.uri, f.kind, f.size, f.mtime_ns, f.meta_hash)
    is distinct from (
        excluded.uri, excluded.kind, excluded.size, excluded.mtime_ns, excluded.meta_hash
    )
    or f.source_hash is distinct from excluded.source_hash;
