select
    count(*)::integer as selected,
    count(*) filter (where i.state = 'clean')::integer as clean,
    count(*) filter (where i.state = 'review')::integer as review,
    count(*) filter (where i.state = 'blocked')::integer as blocked,
    count(*) filter (where i.state = 'rejected')::integer as rejected,
    count(*) filter (where i.state = 'failed')::integer as failed,
    count(*) filter (where i.state = 'planned')::integer as planned
from ops.generation_item as i
where i.item_id = any(%(items)s)
