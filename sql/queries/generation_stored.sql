select
    i.item_id,
    i.state,
    i.outcome,
    i.revision,
    i.run_id,
    ops.context_allowed(i.doc_id, i.context) as allowed
from ops.generation_item as i
where i.item_id = any(%(items)s)
