select
    e.subject_id,
    e.predicate,
    e.object_id,
    e.kind,
    min(e.subject) as subject,
    min(e.object) as object,
    count(*) as evidence,
    count(distinct e.doc_id) as documents
from `{dataset}.evidence` as e
where e.subject_id is not null
group by e.subject_id, e.predicate, e.object_id, e.kind
