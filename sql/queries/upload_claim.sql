-- All that waits in one conversation, the one that has waited longest.
update serving.upload as u
set
    state = 'running',
    attempts = u.attempts + 1,
    updated_at = now()
where
    u.state = 'queued'
    and u.conversation_id = (
        select w.conversation_id
        from serving.upload as w
        where w.state = 'queued'
        order by w.created_at
        limit 1
    )
returning u.conversation_id;
