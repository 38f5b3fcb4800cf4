-- Runs, listings, leases and quarantine.
create table ops.run (
    run_id text primary key,
    kind text not null,
    source text,
    state text not null check (state in ('running', 'success', 'failed')),
    outcomes jsonb not null default '{}',
    detail text,
    started_at timestamptz not null default now(),
    ended_at timestamptz
);
create index run_started on ops.run (started_at);

-- What a run did to documents; the other outcomes follow from the state of the corpus.
create table ops.run_change (
    run_id text not null references ops.run (run_id) on delete cascade,
    doc_id uuid not null,
    source text not null,
    outcome text not null check (outcome in ('added', 'changed', 'access', 'deleted')),
    primary key (run_id, doc_id)
);
create index run_change_document on ops.run_change (doc_id);

create table ops.stage_metric (
    run_id text not null references ops.run (run_id) on delete cascade,
    stage text not null,
    shard integer not null,
    items integer not null,
    seconds real not null,
    ended_at timestamptz not null default now(),
    primary key (run_id, stage, shard)
);

-- The last listing of a source: merges with a lower number are refused.
create table ops.listing (
    source text primary key references corpus.source (name),
    fence bigint not null,
    completed_at timestamptz not null default now()
);

create table ops.lease (
    source text primary key references corpus.source (name),
    run_id text not null,
    kind text not null,
    host text not null,
    pid integer not null,
    process_started double precision not null,
    heartbeat_at timestamptz not null default now()
);
comment on table ops.lease is 'Which run has a source; runs of one source take turns.';

create table ops.quarantine (
    quarantine_id uuid primary key,
    source text not null references corpus.source (name),
    uri text not null,
    record_id text,
    stage text not null,
    reason text not null,
    detail text not null,
    attempts integer not null default 1,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    path text not null,
    key text not null,
    source_hash text not null,
    transient boolean not null,
    retry boolean not null default false,
    run_id text not null,
    fence bigint not null,
    unique (source, path, key)
);
