-- Names that no document mentions any longer go too.
delete from corpus.entity as e
where
    exists (
        select from ops.run_change as r
        where r.run_id = %(run_id)s and r.outcome in ('changed', 'deleted')
    )
    and not exists (select from corpus.mention as m where m.entity_id = e.entity_id);
