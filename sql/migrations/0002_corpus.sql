-- Sources, documents, passages, entities, duplicates and vectors.
create table corpus.source (
    name text primary key,
    uri text not null,
    format text,
    acl text[] not null default '{}',
    record_id text,
    record_key text not null default 'source' check (record_key in ('source', 'file')),
    dedup text not null default 'near' check (dedup in ('near', 'exact', 'off')),
    priority integer not null default 100,
    summarize boolean not null default false,
    manual boolean not null default false,
    removed_at timestamptz,
    created_at timestamptz not null default now()
);

-- Every file of the last listing, and what it held; tells which files need reading again.
create table corpus.file (
    source text not null references corpus.source (name),
    path text not null,
    uri text not null,
    kind text not null check (kind in ('document', 'records')),
    size bigint not null,
    mtime_ns bigint not null,
    source_hash text,
    meta_hash text not null,
    primary key (source, path)
);

-- Every place where a key stands. The winner among a key's places is the current version.
create table corpus.place (
    source text not null,
    path text not null,
    key text not null,
    occurrence integer not null,
    doc_id uuid not null,
    source_hash text not null,
    updated_at timestamptz,
    row_number bigint not null,
    -- ok: read. bad: cannot be read, and has no document. kept: no longer seen in a file that
    -- could not be read whole, so its document stays.
    state text not null default 'ok' check (state in ('ok', 'bad', 'kept')),
    primary key (source, path, key, occurrence),
    foreign key (source, path) references corpus.file (source, path) on delete cascade
);
create index place_document on corpus.place (doc_id);

create table corpus.document (
    doc_id uuid primary key,
    source text not null references corpus.source (name),
    key text not null,
    status text not null check (status in ('current', 'duplicate', 'deleted')),
    stale boolean not null default false,
    fence bigint not null,
    file_path text not null,
    record_id text,
    uri text not null,
    title text not null,
    language text not null default 'und',
    type text not null,
    text text not null,
    headings jsonb not null default '[]',
    pages integer[] not null default '{}',
    metadata jsonb not null default '{}',
    own_acl text[],
    acl text[] not null,
    stated_at timestamptz,
    modified_at timestamptz not null,
    source_hash text not null,
    meta_hash text not null,
    content_hash text not null,
    parser text not null,
    versions jsonb not null default '{}',
    run_id text not null,
    ingested_at timestamptz not null default now(),
    unique (source, key)
);
create index document_source_file on corpus.document (source, file_path);
create index document_metadata on corpus.document using gin (metadata jsonb_path_ops);
comment on column corpus.document.own_acl is
'Lists of the document and its folders, intersected; null takes the source''s.';
comment on column corpus.document.acl is
'Effective list; empty is public, {!nobody} hides.';
comment on column corpus.document.fence is
'Number of the observation that wrote the row; lower ones are refused.';

create table corpus.chunk (
    chunk_id uuid primary key,
    doc_id uuid not null references corpus.document (doc_id) on delete cascade,
    ordinal integer not null,
    start_char integer not null,
    end_char integer not null,
    page integer,
    heading_path text[] not null,
    text text not null,
    acl text[] not null,
    flags text[] not null default '{}',
    flag_spans jsonb not null default '[]',
    input_hash text not null
);
create index chunk_document on corpus.chunk (doc_id, ordinal);
comment on column corpus.chunk.input_hash is
'Hash of what is embedded: the passage under its title and headings.';
comment on column corpus.chunk.flag_spans is
'Flagged spans: kind, rule, start_char and end_char in the document''s text.';

-- The lexical leg: terms are hashes, so no dictionary grows and a purge leaves no word behind.
create table corpus.chunk_lexical (
    chunk_id uuid primary key references corpus.chunk (chunk_id) on delete cascade,
    length integer not null,
    terms integer[] not null,
    frequencies smallint[] not null,
    impacts sparsevec not null
);
create index chunk_lexical_terms on corpus.chunk_lexical using gin (terms);

create table corpus.term (
    term integer primary key,
    documents integer not null,
    max_impact real not null
);
comment on table corpus.term is
'Passages that hold a term, and an upper bound of its impact in any of them.';

create table corpus.lexical_total (
    only_row boolean primary key default true check (only_row),
    passages bigint not null,
    total_length bigint not null,
    average_length real not null
);
insert into corpus.lexical_total (passages, total_length, average_length) values (0, 0, 100);
comment on column corpus.lexical_total.average_length is
'The average that impacts are computed with: the true one, rounded to a grid of ten percent.';

create table corpus.entity (
    entity_id uuid primary key,
    label text not null,
    name text not null
);

create table corpus.mention (
    doc_id uuid not null references corpus.document (doc_id) on delete cascade,
    start_char integer not null,
    end_char integer not null,
    text text not null,
    label text not null,
    entity_id uuid not null references corpus.entity (entity_id),
    primary key (doc_id, start_char, end_char, label)
);
create index mention_entity on corpus.mention (entity_id);

create table corpus.embedding_model (
    model_id text primary key,
    identity jsonb not null,
    dimension integer not null,
    table_name text not null unique,
    active boolean not null
);
create unique index embedding_model_active on corpus.embedding_model (active) where active;

create table corpus.vector_cache (
    model_id text not null references corpus.embedding_model (model_id),
    input_hash text not null,
    vector halfvec not null,
    primary key (model_id, input_hash)
);

-- What deduplication knows: a function of the observed corpus, ahead of what is loaded.
create table corpus.near_duplicate (
    doc_id uuid primary key,
    source text not null,
    key text not null,
    fence bigint not null,
    version text not null,
    exact_hash text not null,
    signature bytea not null,
    acl text[] not null,
    mode text not null,
    priority integer not null,
    stated_at timestamptz,
    canonical_doc_id uuid,
    similarity real
);
create index near_duplicate_source on corpus.near_duplicate (source);
create index near_duplicate_canonical on corpus.near_duplicate (canonical_doc_id);
comment on column corpus.near_duplicate.canonical_doc_id is
'The earlier canonical document it duplicates; null where it is canonical itself.';

create table corpus.near_duplicate_band (
    band bigint not null,
    doc_id uuid not null references corpus.near_duplicate (doc_id) on delete cascade,
    primary key (band, doc_id)
);
create index near_duplicate_band_document on corpus.near_duplicate_band (doc_id);
