create temporary table staged_quarantine (
    quarantine_id uuid not null,
    source text not null,
    path text not null,
    key text not null,
    doc_id uuid,
    uri text not null,
    record_id text,
    stage text not null,
    reason text not null,
    detail text not null,
    source_hash text not null,
    transient boolean not null,
    hide boolean not null,
    acl_known boolean not null,
    own_acl text[],
    fence bigint not null
) on commit drop;
