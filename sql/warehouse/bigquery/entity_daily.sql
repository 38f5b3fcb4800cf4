select
    date(s.generated_at) as day,
    json_value(e, '$.entity_id') as entity_id,
    json_value(e, '$.name') as name,
    json_value(e, '$.label') as label,
    count(distinct s.doc_id) as documents,
    sum(cast(json_value(e, '$.mentions') as int64)) as mentions
from `{dataset}.document_summary` as s
cross join unnest(json_query_array(s.entities)) as e
group by day, entity_id, name, label
