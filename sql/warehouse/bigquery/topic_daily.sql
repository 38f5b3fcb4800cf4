select
    date(s.generated_at) as day,
    lower(t) as topic,
    count(distinct s.doc_id) as documents
from `{dataset}.document_summary` as s
cross join unnest(json_value_array(s.topics)) as t
group by day, topic
