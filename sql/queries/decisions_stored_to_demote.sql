select
    d.doc_id::text as doc_id,
    d.source,
    d.key,
    'duplicate' as status,
    d.fence,
    d.file_path,
    d.record_id,
    d.uri,
    d.title,
    d.language,
    d.type,
    d.text,
    d.headings::text as headings,
    d.pages,
    d.metadata::text as metadata,
    d.own_acl,
    d.stated_at,
    d.modified_at,
    d.source_hash,
    d.meta_hash,
    d.content_hash,
    d.parser,
    true as stored
from corpus.document as d
inner join corpus.near_duplicate as n on d.doc_id = n.doc_id
where
    d.doc_id > %(after)s::uuid
    and d.status = 'current'
    and n.canonical_doc_id is not null
    and not exists (select from brought as b where b.doc_id = d.doc_id)
order by d.doc_id
limit %(page)s;
