-- Images that their document no longer has.
delete from corpus.image as i
using staged_document as s
where
    i.doc_id = s.doc_id
    and s.has_images
    and not exists (
        select from staged_image as n
        where n.doc_id = i.doc_id and n.ordinal = i.ordinal
    );
