insert into corpus.image as i (
    doc_id, ordinal, start_char, alt, caption, width, height, media_type, digest, content
)
select
    n.doc_id,
    n.ordinal,
    n.start_char,
    n.alt,
    n.caption,
    n.width,
    n.height,
    n.media_type,
    n.digest,
    n.content
from staged_image as n
order by n.doc_id, n.ordinal
on conflict (doc_id, ordinal) do update
set
    start_char = excluded.start_char,
    alt = excluded.alt,
    caption = excluded.caption,
    width = excluded.width,
    height = excluded.height,
    media_type = excluded.media_type,
    digest = excluded.digest,
    content = excluded.content
where
    (i.start_char, i.alt, i.caption, i.digest)
    is distinct from (excluded.start_char, excluded.alt, excluded.caption, excluded.digest);
