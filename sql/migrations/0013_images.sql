-- Images of documents: previews, decoded and encoded anew by the parsers. They have no list of
-- their own: an image is seen by whoever sees its document, and goes with it.
create table corpus.image (
    doc_id uuid not null references corpus.document (doc_id) on delete cascade,
    ordinal integer not null check (ordinal >= 0),
    start_char integer not null check (start_char >= 0),
    alt text not null,
    caption text not null,
    width integer not null check (width between 1 and 800),
    height integer not null check (height between 1 and 800),
    media_type text not null check (media_type = 'image/webp'),
    digest text not null,
    content bytea not null check (length(content) between 1 and 200000),
    primary key (doc_id, ordinal)
);
-- They are compressed already.
alter table corpus.image alter column content set storage external;
comment on column corpus.image.ordinal is 'Position among the images of the document, from 0.';
comment on column corpus.image.start_char is
'Code points of the document''s text that stand before the image.';
comment on column corpus.image.digest is 'SHA-256 (hex) of the content.';

alter table corpus.image enable row level security;
create policy visible on corpus.image for select to tidemark_serving, tidemark_analyst
using (
    exists (
        select from corpus.document as d
        where d.doc_id = image.doc_id and d.status = 'current'
    )
);
create policy everything on corpus.image to tidemark_pipeline, tidemark_operator
using (true) with check (true);

create view corpus.image_current with (security_invoker = true) as
select
    i.doc_id,
    i.ordinal,
    i.start_char,
    i.alt,
    i.caption,
    i.width,
    i.height,
    i.media_type,
    i.digest,
    i.content
from corpus.image as i
inner join corpus.document as d on i.doc_id = d.doc_id
where d.status = 'current';

-- An image belongs to the passage that it stands in or directly behind; one that stands before all
-- text belongs to the first.
create view corpus.chunk_image with (security_invoker = true) as
select
    c.chunk_id,
    i.doc_id,
    i.ordinal,
    i.start_char,
    i.alt,
    i.caption,
    i.width,
    i.height,
    i.media_type
from corpus.image_current as i
inner join corpus.chunk as c on i.doc_id = c.doc_id
where
    (c.start_char < i.start_char and i.start_char <= c.end_char)
    or (c.ordinal = 0 and i.start_char <= c.start_char);

grant select on corpus.image, corpus.image_current, corpus.chunk_image
to tidemark_serving, tidemark_analyst;
