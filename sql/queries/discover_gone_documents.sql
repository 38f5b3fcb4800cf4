-- Documents of a completely listed source that stand nowhere any longer. A place that turned bad
-- still keeps its document.
select d.doc_id
from corpus.document as d
where
    d.source = %(source)s
    and d.status <> 'deleted'
    and not exists (
        select from listed_place as n
        where n.doc_id = d.doc_id
    )
    and not exists (
        select from corpus.place as p
        inner join listed_file as l on p.source = l.source and p.path = l.path
        where
            p.doc_id = d.doc_id
            and (
                l.state = 'problem'
                or (l.kind = 'document' and d.key like 'file:%%')
                or (l.kind = 'records' and (l.state <> 'read' or not l.whole))
            )
    )
    -- A document that was loaded but whose place was not yet written: its file decides.
    and not exists (
        select from listed_file as l
        where
            l.source = d.source
            and l.path = d.file_path
            and (l.state = 'problem' or (l.kind = 'document' and d.key like 'file:%%'))
    );
