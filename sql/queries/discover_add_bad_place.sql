insert into listed_place (
    source, path, key, occurrence, doc_id, source_hash, row_number, state
)
values (%(source)s, %(path)s, %(key)s, 1, %(doc_id)s, '', 0, 'bad')
on conflict (source, path, key, occurrence) do update set state = 'bad';
