update ops.llm_batch as b
set
    state = %(state)s,
    provider_batch_id = coalesce(b.provider_batch_id, %(provider_batch_id)s),
    detail = coalesce(%(detail)s, b.detail),
    sending_at = case when %(state)s = 'sending' then now() else b.sending_at end,
    submitted_at = case
        when %(state)s = 'submitted' then coalesce(b.submitted_at, now()) else b.submitted_at
    end,
    ended_at = case when %(state)s in ('ended', 'unsent') then now() end
where b.batch_id = %(batch_id)s and b.state in ('intended', 'sending', 'submitted')
returning b.batch_id
