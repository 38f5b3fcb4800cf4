-- What was brought and differs from what is stored, whatever its fence.
with differing as (
    select
        i.*,
        s.dedup,
        s.priority
    from dedup_incoming as i
    inner join corpus.source as s on i.source = s.name
    left join corpus.near_duplicate as n on i.doc_id = n.doc_id
    where
        n.doc_id is null
        or (n.version, n.exact_hash, n.acl, n.mode, n.priority, n.stated_at)
        is distinct from (%(version)s, i.exact_hash, i.acl, s.dedup, s.priority, i.stated_at)
),

written as (
    insert into corpus.near_duplicate as n (
        doc_id, source, key, fence, version, exact_hash, signature, acl, mode, priority, stated_at
    )
    select
        doc_id,
        source,
        key,
        fence,
        %(version)s,
        exact_hash,
        signature,
        acl,
        dedup,
        priority,
        stated_at
    from differing
    on conflict (doc_id) do update
    set
        fence = excluded.fence,
        version = excluded.version,
        exact_hash = excluded.exact_hash,
        signature = excluded.signature,
        acl = excluded.acl,
        mode = excluded.mode,
        priority = excluded.priority,
        stated_at = excluded.stated_at
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
