insert into corpus.document as d (
    doc_id,
    source,
    key,
    status,
    fence,
    file_path,
    record_id,
    uri,
    title,
    language,
    type,
    text,
    headings,
    pages,
    metadata,
    own_acl,
    acl,
    stated_at,
    modified_at,
    source_hash,
    meta_hash,
    content_hash,
    parser,
    versions,
    run_id
)
select
    s.doc_id,
    s.source,
    s.key,
    s.status,
    s.fence,
    s.file_path,
    s.record_id,
    s.uri,
    s.title,
    s.language,
    s.type,
    s.text,
    s.headings,
    s.pages,
    s.metadata,
    case when s.stored then e.own_acl else s.own_acl end as own_acl,
    corpus.effective_acl(
        c.acl, case when s.stored then e.own_acl else s.own_acl end
    ) as acl,
    s.stated_at,
    s.modified_at,
    s.source_hash,
    s.meta_hash,
    s.content_hash,
    s.parser,
    s.versions,
    %(run_id)s
from staged_document as s
inner join corpus.source as c on s.source = c.name
left join corpus.document as e on s.doc_id = e.doc_id
order by s.doc_id
on conflict (doc_id) do update
set
    key = excluded.key,
    status = excluded.status,
    stale = d.stale and d.fence = excluded.fence,
    fence = excluded.fence,
    file_path = excluded.file_path,
    record_id = excluded.record_id,
    uri = excluded.uri,
    title = excluded.title,
    language = excluded.language,
    type = excluded.type,
    text = excluded.text,
    headings = excluded.headings,
    pages = excluded.pages,
    metadata = excluded.metadata,
    own_acl = excluded.own_acl,
    acl = excluded.acl,
    stated_at = excluded.stated_at,
    modified_at = excluded.modified_at,
    source_hash = excluded.source_hash,
    meta_hash = excluded.meta_hash,
    content_hash = excluded.content_hash,
    parser = excluded.parser,
    versions = excluded.versions,
    run_id = excluded.run_id,
    ingested_at = case
        when
            d.content_hash = excluded.content_hash and d.status = excluded.status
            then d.ingested_at
        else now()
    end
where
    d.fence <= excluded.fence
    and (
        (
            d.key,
            d.status,
            d.stale,
            d.file_path,
            d.uri,
            d.title,
            d.language,
            d.type,
            d.content_hash,
            d.metadata,
            d.acl,
            d.modified_at,
            d.source_hash,
            d.meta_hash,
            d.parser,
            d.versions
        ) is distinct from (
            excluded.key,
            excluded.status,
            false,
            excluded.file_path,
            excluded.uri,
            excluded.title,
            excluded.language,
            excluded.type,
            excluded.content_hash,
            excluded.metadata,
            excluded.acl,
            excluded.modified_at,
            excluded.source_hash,
            excluded.meta_hash,
            excluded.parser,
            excluded.versions
        )
        or d.record_id is distinct from excluded.record_id
        or d.stated_at is distinct from excluded.stated_at
        or d.own_acl is distinct from excluded.own_acl
        or d.headings <> excluded.headings
        or d.pages <> excluded.pages
    );
