select pg_advisory_xact_lock(hashtext('tidemark merge'));
create temporary table staged_file (
    source text not null,
    path text not null,
    uri text not null,
    kind text not null,
    size bigint not null,
    mtime_ns bigint not null,
    source_hash text,
    meta_hash text not null,
    state text not null,
    whole boolean not null
) on commit drop;
create temporary table staged_place (
    source text not null,
    path text not null,
    key text not null,
    occurrence integer not null,
    doc_id uuid not null,
    source_hash text not null,
    updated_at timestamptz,
    row_number bigint not null,
    state text not null
) on commit drop;
create index on staged_place (source, path, key, occurrence);
create temporary table staged_gone (
    source text not null,
    path text,
    doc_id uuid
) on commit drop;
create temporary table staged_read (
    source text not null,
    path text not null,
    source_hash text
) on commit drop;
