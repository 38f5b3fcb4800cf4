-- Stored documents whose source, permissions or threshold are no longer what they were decided
-- by. What was brought just now is newer than its row in corpus.document.
with source_now as (
    select
        name,
        dedup,
        priority,
        acl as outer_acl,
        array(select distinct x collate "C" from unnest(acl) as x order by 1) as acl
    from corpus.source
),

known as (
    select
        n.doc_id,
        s.dedup,
        s.priority,
        case
            when d.doc_id is null then n.acl
            when d.own_acl is null then s.acl
            else array(
                select distinct x collate "C"
                from unnest(corpus.effective_acl(s.outer_acl, d.own_acl)) as x
                order by 1
            )
        end as acl,
        case when n.version like %(any_threshold)s then %(version)s else n.version end as version
    from corpus.near_duplicate as n
    inner join source_now as s on n.source = s.name
    left join corpus.document as d on n.doc_id = d.doc_id and d.status <> 'deleted'
    where not exists (select from dedup_incoming as i where i.doc_id = n.doc_id)
),

written as (
    update corpus.near_duplicate as n
    set mode = k.dedup, priority = k.priority, acl = k.acl, version = k.version
    from known as k
    where
        n.doc_id = k.doc_id
        and (n.mode, n.priority, n.acl, n.version)
        is distinct from (k.dedup, k.priority, k.acl, k.version)
    returning n.*
)

insert into dedup_work (doc_id, priority, stated_at, source, key, spread, was_canonical)
select
    doc_id,
    priority,
    coalesce(stated_at, 'infinity'),
    source,
    key,
    true,
    canonical_doc_id is null
from written;
