-- In one order everywhere, so that two that claim the same do not wait for each other.
with free as (
    select q.request_id
    from ops.llm_request as q
    where
        q.request_id = any(%(requests)s)
        and (q.outcome is null or q.outcome = any(%(retried)s))
        and (
            q.claimed_by is null
            or q.claimed_by = %(claimant)s
            or not ops.claim_holds(q.claimed_by)
        )
    order by q.request_id
    for update
)

update ops.llm_request as q
set claimed_by = %(claimant)s
from free as f
where q.request_id = f.request_id
returning q.request_id
