select
    n.node_id,
    n.kind,
    min(n.name) as name,
    n.entity_id,
    count(distinct n.doc_id) as documents
from (
    select
        e.subject_id as node_id,
        'thing' as kind,
        e.subject as name,
        e.subject_entity_id as entity_id,
        e.doc_id
    from `{dataset}.evidence` as e
    where e.subject_id is not null
    union all
    select
        e.object_id,
        if(e.kind = 'event', 'event', 'thing'),
        e.object,
        e.object_entity_id,
        e.doc_id
    from `{dataset}.evidence` as e
) as n
group by n.node_id, n.kind, n.entity_id
