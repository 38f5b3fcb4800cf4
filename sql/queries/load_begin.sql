-- Temporary tables of one merge.
create temporary table staged_document (
    doc_id uuid primary key,
    source text not null,
    key text not null,
    status text not null,
    fence bigint not null,
    file_path text not null,
    record_id text,
    uri text not null,
    title text not null,
    language text not null,
    type text not null,
    text text not null,
    headings jsonb not null,
    pages integer[] not null,
    metadata jsonb not null,
    own_acl text[],
    stated_at timestamptz,
    modified_at timestamptz not null,
    source_hash text not null,
    meta_hash text not null,
    content_hash text not null,
    parser text not null,
    versions jsonb not null,
    -- Whether the row comes from the store, not from an observation of the source.
    stored boolean not null,
    has_passages boolean not null,
    has_mentions boolean not null,
    has_images boolean not null
) on commit drop;
create temporary table staged_chunk (
    chunk_id uuid primary key,
    doc_id uuid not null,
    ordinal integer not null,
    start_char integer not null,
    end_char integer not null,
    page integer,
    heading_path text[] not null,
    text text not null,
    flags text[] not null,
    flag_spans jsonb not null,
    input_hash text not null,
    length integer not null,
    terms integer[] not null,
    frequencies smallint[] not null,
    impacts sparsevec not null
) on commit drop;
create temporary table staged_mention (
    doc_id uuid not null,
    start_char integer not null,
    end_char integer not null,
    text text not null,
    label text not null,
    entity_id uuid not null,
    name text not null
) on commit drop;
create temporary table staged_image (
    doc_id uuid not null,
    ordinal integer not null,
    start_char integer not null,
    alt text not null,
    caption text not null,
    width integer not null,
    height integer not null,
    media_type text not null,
    digest text not null,
    content bytea not null
) on commit drop;
create temporary table staged_vector (
    input_hash text primary key,
    vector halfvec not null
) on commit drop;
