select
    g.documents,
    (
        select count(*)::integer
        from ops.generation_item as i
        where
            i.run_id = g.run_id
            and exists (
                select
                from ops.llm_request as r
                where
                    r.item_id = i.item_id
                    and r.part <> 'again'
                    and r.outcome is not null
                    and (i.revision = 0 or r.answered_at >= o.started_at)
            )
    ) as answered,
    (
        select count(*)::integer
        from ops.generation_item as i
        inner join ops.llm_request as r on i.item_id = r.item_id
        where
            i.run_id = g.run_id
            and r.part = 'again'
            and r.answered_at >= o.started_at
    ) as second_attempts
from ops.generation_run as g
inner join ops.run as o on g.run_id = o.run_id
where g.run_id = %(run_id)s
