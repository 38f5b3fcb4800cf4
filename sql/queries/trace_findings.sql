select
    f.item_id,
    f.task,
    f.direction,
    f.rule,
    f.severity,
    f.action,
    f.start_char,
    f.end_char,
    f.policy_version
from warehouse.finding as f
where f.doc_id = %(doc_id)s
order by f.task, f.item_id, f.direction, f.number;
