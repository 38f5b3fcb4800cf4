-- Settings and working tables of one deduplication. Dropped by dedup_end.sql, or by the rollback.
set local work_mem = '64MB';
set local jit = off;

create temporary table dedup_incoming (
    ordinal bigint primary key,
    doc_id uuid not null,
    source text not null,
    key text not null,
    fence bigint not null,
    exact_hash text not null,
    signature bytea not null,
    bands bigint[] not null,
    acl text[] not null,
    stated_at timestamptz
);
create index dedup_incoming_document on dedup_incoming (doc_id);
create temporary table dedup_gone (doc_id uuid not null);

-- Every document whose decision is or was in doubt, with its place in the order. An election is
-- pending until its turn; it is spread where the document itself is new or has changed.
create temporary table dedup_work (
    doc_id uuid primary key,
    priority integer not null,
    stated_at timestamptz not null,
    source text collate "C" not null,
    key text collate "C" not null,
    pending boolean not null default true,
    spread boolean not null,
    was_canonical boolean not null
);

-- The documents of one round, numbered in the order. A leader decides for its identical copies.
create temporary table dedup_round (
    number integer primary key,
    doc_id uuid not null,
    leader integer not null,
    priority integer not null,
    stated_at timestamptz not null,
    source text collate "C" not null,
    key text collate "C" not null,
    acl text[] not null,
    mode text not null,
    exact_hash text not null,
    spread boolean not null,
    was_canonical boolean not null
);
create index dedup_round_document on dedup_round (doc_id);
create temporary table dedup_round_band (band bigint not null, number integer not null);

-- Documents outside the round that share bands with it, and have been decided: their place, and
-- the place of the document that they duplicate.
create temporary table dedup_sharing (band bigint not null, doc_id uuid not null);
create temporary table dedup_neighbour (
    doc_id uuid primary key,
    priority integer not null,
    stated_at timestamptz not null,
    source text collate "C" not null,
    key text collate "C" not null,
    acl text[] not null,
    mode text not null,
    exact_hash text not null,
    canonical boolean not null,
    canonical_priority integer,
    canonical_stated_at timestamptz,
    canonical_source text collate "C",
    canonical_key text collate "C"
);
create temporary table dedup_pair (number integer not null, doc_id uuid not null);
create temporary table dedup_verdict (
    number integer primary key,
    canonical_doc_id uuid not null,
    similarity real not null
);
