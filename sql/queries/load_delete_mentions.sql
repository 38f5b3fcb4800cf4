delete from corpus.mention as m
using staged_document as s
where
    m.doc_id = s.doc_id
    and (
        s.status <> 'current'
        or (
            s.has_mentions
            and not exists (
                select from staged_mention as n
                where
                    n.doc_id = m.doc_id
                    and n.start_char = m.start_char
                    and n.end_char = m.end_char
                    and n.label = m.label
                    and n.entity_id = m.entity_id
            )
        )
    );
