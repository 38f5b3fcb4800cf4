-- What was begun and not ended is tried again, a few times. The bytes of what failed are dropped.
update serving.upload
set
    state = case when attempts < %(most)s then 'queued' else 'failed' end,
    reason = case when attempts < %(most)s then null else %(reason)s end,
    content = case when attempts < %(most)s then content else '' end,
    updated_at = now()
where state = 'running';
