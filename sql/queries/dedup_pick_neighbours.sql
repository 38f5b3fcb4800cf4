-- Looked up row by row (offset 0): the planner cannot know how many rows this transaction has
-- written, and has taken other ways that are quadratic. So too elsewhere.
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
cross join lateral (
    select * from corpus.near_duplicate as x
    where x.doc_id = s.doc_id
    offset 0
) as n
left join lateral (
    select * from corpus.near_duplicate as x
    where x.doc_id = n.canonical_doc_id
    offset 0
) as c on true
where n.mode <> 'off';
