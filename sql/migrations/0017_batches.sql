-- Batches of providers: what is known of each while it is bought, waited for and read.
alter table ops.llm_batch
add column key text not null unique,
add column sending_at timestamptz,
add column detail text,
add constraint llm_batch_state_check
check (state in ('intended', 'sending', 'submitted', 'ended', 'unsent')),
add constraint llm_batch_submitted_check
check (state not in ('submitted', 'ended') or provider_batch_id is not null);
create unique index llm_batch_provider on ops.llm_batch (provider, provider_batch_id);
create index llm_batch_open on ops.llm_batch (batch_id)
where state in ('intended', 'sending', 'submitted');
create index llm_call_batch on ops.llm_call (batch_id) where batch_id is not null;
comment on column ops.llm_batch.key is
'Our name for it, which the provider keeps, too: what was bought can be found again.';
comment on column ops.llm_batch.state is
'sending: the provider may have it; unsent: it is sure not to, and its rows are open again.';
comment on column ops.llm_batch.sending_at is
'Before the purchase was sent; the provider''s older batches cannot be this one.';
