select count(*)::integer as unasked
from ops.waiting_review as w
where w.held_by is null or w.claimed_at < now() - make_interval(days => %(days)s + 1)
