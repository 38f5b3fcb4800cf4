-- Temporary tables of one discovery: what is listed, and what was read of it.
create temporary table if not exists listed_file (
    source text not null,
    path text not null,
    uri text not null,
    kind text not null,
    size bigint not null,
    mtime_ns bigint not null,
    meta_hash text not null,
    meta jsonb not null,
    own_acl text[],
    -- same, touched (bytes are equal), check (bytes must be compared), read, skipped, problem
    state text not null default 'same',
    stored_hash text,
    source_hash text,
    -- whether everything in it was read, so that what it no longer holds is gone
    whole boolean not null default true,
    primary key (source, path)
);
create temporary table if not exists listed_place (
    source text not null,
    path text not null,
    key text not null,
    occurrence integer not null,
    doc_id uuid not null,
    source_hash text not null,
    updated_at timestamptz,
    row_number bigint not null,
    state text not null,
    spool_row bigint,
    selected boolean not null default false,
    primary key (source, path, key, occurrence)
);
create index if not exists listed_place_document on listed_place (doc_id);
truncate listed_file, listed_place;
