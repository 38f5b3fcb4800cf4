insert into dedup_neighbour
select
    n.doc_id,
    n.priority,
    coalesce(n.stated_at, 'infinity'),
    n.source,
    n.key,
    n.acl,
    n.mode,
    n.exact_hash,
    n.canonical_doc_id is null,
    c.priority,
    coalesce(c.stated_at, 'infinity'),
    c.source,
    c.key
from (select distinct doc_id from dedup_sharing) as s
inner join corpus.near_duplicate as n on s.doc_id = n.doc_id
left join corpus.near_duplicate as c on n.canonical_doc_id = c.doc_id
where n.mode <> 'off';
