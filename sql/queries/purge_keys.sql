-- A key can be a name; its document's id is a function of it and stays.
update corpus.document
set
    key = 'purged:' || doc_id::text,
    file_path = '',
    modified_at = to_timestamp(0)
where source = %(source)s;
