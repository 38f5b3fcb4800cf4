-- Candidates that a newer observation overrules, that are repeated, or whose source is gone.
delete from dedup_incoming as i
where
    not exists (select from corpus.source as s where s.name = i.source)
    or exists (
        select from ops.listing as l
        where l.source = i.source and l.fence > i.fence
    )
    or exists (
        select from corpus.near_duplicate as n
        where n.doc_id = i.doc_id and n.fence > i.fence
    )
    or exists (
        select from dedup_incoming as o
        where o.doc_id = i.doc_id and (o.fence, o.ordinal) > (i.fence, i.ordinal)
    );
