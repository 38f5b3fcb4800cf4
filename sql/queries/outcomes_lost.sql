-- Files of documents with nothing to show for them, and keys whose document is not stored.
(
    select f.source || ' ' || f.path as input
    from corpus.file as f
    where
        f.source = any(%(sources)s)
        and f.kind = 'document'
        and not exists (
            select from corpus.place as p
            where p.source = f.source and p.path = f.path
        )
    union all
    select p.source || ' ' || p.path || ' ' || p.key
    from corpus.place as p
    left join corpus.document as d on p.doc_id = d.doc_id and d.status <> 'deleted'
    where
        p.source = any(%(sources)s)
        and p.state = 'ok'
        and d.doc_id is null
        and not exists (
            select from corpus.place as b
            where b.source = p.source and b.key = p.key and b.state = 'bad'
        )
)
order by 1
limit %(most)s;
