insert into corpus.place as p (
    source, path, key, occurrence, doc_id, source_hash, updated_at, row_number, state
)
select distinct on (s.source, s.path, s.key, s.occurrence)
    s.source,
    s.path,
    s.key,
    s.occurrence,
    s.doc_id,
    s.source_hash,
    s.updated_at,
    s.row_number,
    s.state
from staged_place as s
where
    s.source = %(source)s
    and exists (
        select from corpus.file as f
        where f.source = s.source and f.path = s.path
    )
order by s.source, s.path, s.key, s.occurrence, s.state
on conflict (source, path, key, occurrence) do update
set
    doc_id = excluded.doc_id,
    source_hash = excluded.source_hash,
    updated_at = excluded.updated_at,
    row_number = excluded.row_number,
    state = excluded.state
where
    (p.doc_id, p.source_hash, p.row_number, p.state)
    is distinct from (
        excluded.doc_id, excluded.source_hash, excluded.row_number, excluded.state
    )
    or p.updated_at is distinct from excluded.updated_at;
