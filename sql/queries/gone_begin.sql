create temporary table if not exists read_file (
    source text not null,
    path text not null
);
create temporary table if not exists spared (
    source text not null,
    path text not null,
    key text not null,
    doc_id uuid
);
truncate read_file, spared;
