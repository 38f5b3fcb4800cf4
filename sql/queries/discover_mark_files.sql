-- Which listed files of a source must be read, or at least compared by their bytes.
update listed_file as l
set
    stored_hash = f.source_hash,
    state = case
        when f.path is null or f.source_hash is null or f.kind <> l.kind then 'read'
        when %(full)s or f.meta_hash <> l.meta_hash then 'read'
        when exists (
            select from ops.quarantine as q
            where q.source = l.source and q.path = l.path and (q.transient or q.retry)
        ) then 'read'
        when exists (
            select from corpus.document as d
            where
                d.source = l.source
                and d.file_path = l.path
                and d.status <> 'deleted'
                and not d.parser = any(%(parsers)s)
        ) then 'read'
        when f.size <> l.size or f.mtime_ns <> l.mtime_ns then 'check'
        else 'same'
    end
from listed_file as x
left join corpus.file as f on x.source = f.source and x.path = f.path
where l.source = %(source)s and x.source = l.source and x.path = l.path and l.state = 'same';
