-- Needs the temporary table of the documents that the run brings. A file that failed as a whole
-- tells nothing of its members.
select
    d.source,
    d.doc_id
from corpus.document as d
inner join read_file as r on d.source = r.source and d.file_path = r.path
where
    d.status <> 'deleted'
    and d.key like 'file:%%'
    and not exists (select from brought as b where b.doc_id = d.doc_id)
    and not exists (
        select from spared as s
        where
            s.source = d.source
            and (s.doc_id = d.doc_id or left(d.key, length(s.key) + 2) = s.key || '!/')
    )
    and not exists (
        select from spared as s
        where s.source = d.source and s.path = d.file_path and s.key = 'file:' || d.file_path
    );
