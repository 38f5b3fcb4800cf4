-- What the merge will do to each document. The first word of a run stands, so that a task that is
-- run again reports what its first attempt did.
insert into ops.run_change (run_id, doc_id, source, outcome)
select
    %(run_id)s,
    x.doc_id,
    x.source,
    x.outcome
from (
    select
        s.doc_id,
        s.source,
        case
            when d.doc_id is null or d.status <> 'current' then 'added'
            when d.content_hash <> s.content_hash then 'changed'
            when s.has_passages and d.versions <> s.versions then 'changed'
            when d.parser <> s.parser then 'changed'
            when
                (
                    d.file_path,
                    d.uri,
                    d.title,
                    d.type,
                    d.metadata,
                    d.source_hash,
                    d.meta_hash,
                    d.stale,
                    d.acl
                ) is distinct from (
                    s.file_path,
                    s.uri,
                    s.title,
                    s.type,
                    s.metadata,
                    s.source_hash,
                    s.meta_hash,
                    false,
                    corpus.effective_acl(c.acl, s.own_acl)
                )
                or d.stated_at is distinct from s.stated_at
                or d.record_id is distinct from s.record_id then 'access'
        end as outcome
    from staged_document as s
    inner join corpus.source as c on s.source = c.name
    left join corpus.document as d on s.doc_id = d.doc_id
    where s.status = 'current'
) as x
where x.outcome is not null
order by x.doc_id
on conflict (run_id, doc_id) do nothing;
