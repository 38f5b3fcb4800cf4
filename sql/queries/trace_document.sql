select
    d.doc_id,
    d.source,
    d.key,
    d.status,
    d.stale,
    d.uri,
    d.record_id,
    d.type,
    d.language,
    d.acl,
    d.fence,
    d.source_hash,
    d.content_hash,
    d.parser,
    d.versions,
    d.run_id,
    d.modified_at,
    d.ingested_at,
    f.uri as file_uri,
    f.size as file_size,
    f.source_hash as file_hash,
    n.canonical_doc_id,
    n.similarity,
    (select m.model_id from corpus.embedding_model as m where m.active) as embedding_model,
    (select count(*) from corpus.chunk as c where c.doc_id = d.doc_id) as passages,
    (select count(*) from corpus.mention as m where m.doc_id = d.doc_id) as mentions
from corpus.document as d
left join corpus.file as f on d.source = f.source and d.file_path = f.path
left join corpus.near_duplicate as n on d.doc_id = n.doc_id
where
    d.doc_id = %(identity)s
    or d.doc_id = (select c.doc_id from corpus.chunk as c where c.chunk_id = %(identity)s);
