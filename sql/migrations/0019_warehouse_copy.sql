-- What the BigQuery copy of the warehouse needs, and a comment on every column that users may rely
-- on. The comments are those of include/warehouse/views.yaml.

-- Loads of the copy are numbered in the order of what they saw; the id tells one database from
-- another that was pointed at the same dataset.
create sequence ops.warehouse_load;
create table ops.deployment (
    deployment_id uuid primary key default gen_random_uuid(),
    only_one boolean not null default true unique check (only_one)
);
insert into ops.deployment default values;
comment on table ops.deployment is 'One row: the id of this database.';
comment on sequence ops.warehouse_load is 'Numbers of the loads of the BigQuery copy.';
grant usage on sequence ops.warehouse_load to tidemark_pipeline, tidemark_operator;
revoke all on ops.deployment from tidemark_pipeline;
grant select on ops.deployment to tidemark_pipeline, tidemark_operator;

-- Rows are told apart by what identifies them, and evidence knows its entities.
create or replace view warehouse.compliance_finding with (security_invoker = true) as
select
    f.task,
    f.doc_id,
    f.source,
    f.acl,
    f.direction,
    f.rule,
    f.kind,
    f.severity,
    f.action,
    f.start_char,
    f.end_char,
    f.evidence,
    f.policy_version,
    f.found_at,
    f.item_id,
    f.number
from warehouse.finding as f;

create or replace view warehouse.evidence with (security_invoker = true) as
select
    g.doc_id,
    s.source,
    s.uri,
    s.acl,
    g.kind,
    g.subject_id,
    g.subject,
    g.predicate,
    g.object_id,
    g.object,
    g.happened,
    g.start_char,
    g.end_char,
    s.generated_at,
    g.number,
    g.subject_entity_id,
    g.object_entity_id
from warehouse.graph_evidence as g
inner join warehouse.summary as s on g.doc_id = s.doc_id;

-- An event that names nobody has no subject; a name of its own kept its summary from publishing.
alter function corpus.normalised_name(text) strict;

-- Costs split by who may see the documents, so that a copy can be held to the same rule.
create function warehouse.visible_costs_by_access()
returns table (
    day date,
    task text,
    model text,
    source text,
    acl text[],
    calls bigint,
    unanswered bigint,
    prompt_tokens bigint,
    cached_tokens bigint,
    completion_tokens bigint,
    cost_usd numeric
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select
        (c.started_at at time zone 'UTC')::date,
        i.task,
        i.model,
        i.source,
        d.acl,
        count(*),
        count(*) filter (where c.ended_at is null),
        sum(c.prompt_tokens),
        sum(c.cached_tokens),
        sum(c.completion_tokens),
        sum(coalesce(c.cost_usd, c.reserved_usd))
    from ops.llm_call as c
    inner join ops.generation_item as i on c.item_id = i.item_id
    inner join corpus.document as d on i.doc_id = d.doc_id
    where
        (select corpus.caller_sees_all())
        or d.acl = '{}'
        or d.acl && (select corpus.caller_groups())
    group by 1, 2, 3, 4, 5
$$;

create view warehouse.llm_cost with (security_invoker = true) as
select
    c.day,
    c.task,
    c.model,
    c.source,
    c.acl,
    c.calls,
    c.unanswered,
    c.prompt_tokens,
    c.cached_tokens,
    c.completion_tokens,
    c.cost_usd
from warehouse.visible_costs_by_access() as c;

create or replace view warehouse.llm_cost_daily with (security_invoker = true) as
select
    c.day,
    c.task,
    c.model,
    c.source,
    sum(c.calls)::bigint as calls,
    sum(c.unanswered)::bigint as unanswered,
    sum(c.prompt_tokens)::bigint as prompt_tokens,
    sum(c.cached_tokens)::bigint as cached_tokens,
    sum(c.completion_tokens)::bigint as completion_tokens,
    sum(c.cost_usd) as cost_usd
from warehouse.llm_cost as c
group by c.day, c.task, c.model, c.source;

drop function warehouse.visible_costs;
revoke all on function warehouse.visible_costs_by_access from public;
grant execute on function warehouse.visible_costs_by_access
to tidemark_analyst, tidemark_operator, tidemark_pipeline;
grant select on warehouse.llm_cost to tidemark_analyst, tidemark_operator, tidemark_pipeline;

comment on view warehouse.document_summary is
'One row a current document that has a published summary.';
comment on column warehouse.document_summary.doc_id is
'The document, as in corpus.document_current.';
comment on column warehouse.document_summary.source is 'Name of the source that it comes from.';
comment on column warehouse.document_summary.uri is 'Its address, as in corpus.document_current.';
comment on column warehouse.document_summary.title is
'Its title; else its record''s id or the name of its file.';
comment on column warehouse.document_summary.language is
'Its language (ISO 639-1), und where it cannot be told.';
comment on column warehouse.document_summary.acl is
'Groups that may see the row; empty is public. Follows the document at once.';
comment on column warehouse.document_summary.summary is 'The summary.';
comment on column warehouse.document_summary.key_points is 'Its key points, a list of texts.';
comment on column warehouse.document_summary.entities is
'What the document names, a list of entity_id, name, label and mentions.';
comment on column warehouse.document_summary.topics is 'Its topics, a list of texts.';
comment on column warehouse.document_summary.sentiment is 'positive, neutral, negative or mixed.';
comment on column warehouse.document_summary.model is 'The language model that wrote it.';
comment on column warehouse.document_summary.prompt_version is
'Hash of the prompt that it was asked with.';
comment on column warehouse.document_summary.content_hash is
'Of the document''s title and text that it was written about.';
comment on column warehouse.document_summary.grounded_score is
'How far the document supports it, 0 to 1.';
comment on column warehouse.document_summary.compliance_status is
'What the policy found; clean where nothing.';
comment on column warehouse.document_summary.approved_by is
'Who approved it; null where no approval was needed.';
comment on column warehouse.document_summary.generated_at is 'When the model''s reply was judged.';
comment on column warehouse.document_summary.cost_usd is 'What all calls for it have cost, USD.';
comment on column warehouse.document_summary.document_type is
'What kind of document it is, in the model''s words.';
comment on column warehouse.document_summary.questions is
'Questions that the document answers, a list of texts.';
comment on column warehouse.document_summary.relations is
'Stated relations, a list of subject, predicate, object and evidence.';
comment on column warehouse.document_summary.events is
'Stated events, a list of what, when, participants and evidence.';
comment on column warehouse.document_summary.published_at is
'When the row was written to the warehouse.';

comment on view warehouse.generated_record is
'Results of all other generation tasks, one row a task and document.';
comment on column warehouse.generated_record.task is 'Name of the generation task.';
comment on column warehouse.generated_record.doc_id is
'The document or record, as in corpus.document_current.';
comment on column warehouse.generated_record.source is 'Name of the source that it comes from.';
comment on column warehouse.generated_record.uri is 'Its address, as in corpus.document_current.';
comment on column warehouse.generated_record.title is
'Its title; else its record''s id or the name of its file.';
comment on column warehouse.generated_record.language is
'Its language (ISO 639-1), und where it cannot be told.';
comment on column warehouse.generated_record.acl is
'Groups that may see the row; empty is public. Follows the document at once.';
comment on column warehouse.generated_record.output is
'The result, in the form of the task''s schema.';
comment on column warehouse.generated_record.model is 'The language model that wrote it.';
comment on column warehouse.generated_record.prompt_version is
'Hash of the prompt that it was asked with.';
comment on column warehouse.generated_record.content_hash is
'Of the document''s title and text that it was written about.';
comment on column warehouse.generated_record.grounded_score is
'How far the document supports it, 0 to 1.';
comment on column warehouse.generated_record.compliance_status is
'What the policy found; clean where nothing.';
comment on column warehouse.generated_record.approved_by is
'Who approved it; null where no approval was needed.';
comment on column warehouse.generated_record.generated_at is 'When the model''s reply was judged.';
comment on column warehouse.generated_record.cost_usd is 'What all calls for it have cost, USD.';
comment on column warehouse.generated_record.published_at is
'When the row was written to the warehouse.';

comment on view warehouse.compliance_finding is
'What the policy found in inputs (offsets into the document) and outputs (into a field).';
comment on column warehouse.compliance_finding.task is 'Name of the generation task.';
comment on column warehouse.compliance_finding.doc_id is
'The document, as in corpus.document_current.';
comment on column warehouse.compliance_finding.source is 'Name of the source that it comes from.';
comment on column warehouse.compliance_finding.acl is
'Groups that may see the row; empty is public. Follows the document at once.';
comment on column warehouse.compliance_finding.direction is
'input (what the model is sent) or output (what it wrote).';
comment on column warehouse.compliance_finding.rule is 'The rule of the policy.';
comment on column warehouse.compliance_finding.kind is
'What the rule looks for, such as personal data or a claim.';
comment on column warehouse.compliance_finding.severity is 'How grave the policy takes it.';
comment on column warehouse.compliance_finding.action is
'What the policy does about it (mask, review or block).';
comment on column warehouse.compliance_finding.start_char is
'Where it begins, in code points from 0.';
comment on column warehouse.compliance_finding.end_char is
'Where it ends; the first code point after it.';
comment on column warehouse.compliance_finding.evidence is
'What may be kept of it, and the field it stands in.';
comment on column warehouse.compliance_finding.policy_version is 'Hash of the policy.';
comment on column warehouse.compliance_finding.found_at is 'When it was found.';
comment on column warehouse.compliance_finding.item_id is
'What was asked about; of ops.generation_item.';
comment on column warehouse.compliance_finding.number is
'Which finding of the item and direction it is.';

comment on view warehouse.evidence is
'Where documents state relations and events: offsets of the words in corpus.document_current.text.';
comment on column warehouse.evidence.doc_id is 'The document that states it.';
comment on column warehouse.evidence.source is 'Name of the source that it comes from.';
comment on column warehouse.evidence.uri is 'The document''s address.';
comment on column warehouse.evidence.acl is
'Groups that may see the row; empty is public. Follows the document at once.';
comment on column warehouse.evidence.kind is 'relation or event.';
comment on column warehouse.evidence.subject_id is
'The node that it is about; null where an event names nobody.';
comment on column warehouse.evidence.subject is 'The subject as the summary names it.';
comment on column warehouse.evidence.predicate is
'How both are related; ''takes part in'' leads to an event.';
comment on column warehouse.evidence.object_id is 'The node that it leads to.';
comment on column warehouse.evidence.object is
'The object, or what happens, as the summary names it.';
comment on column warehouse.evidence.happened is
'When an event happens, in the summary''s words; empty where it does not say.';
comment on column warehouse.evidence.start_char is 'Of the quoted words, in code points from 0.';
comment on column warehouse.evidence.end_char is
'End of the quoted words; the first code point after them.';
comment on column warehouse.evidence.generated_at is 'When the summary''s reply was judged.';
comment on column warehouse.evidence.number is 'Which row of the document it is.';
comment on column warehouse.evidence.subject_entity_id is
'The subject in corpus.entity, where the document mentions it.';
comment on column warehouse.evidence.object_entity_id is
'The object in corpus.entity, where the document mentions it.';

comment on view warehouse.llm_cost is
'Calls of the language model by day, split by who may see the documents they were about.';
comment on column warehouse.llm_cost.day is 'Day (UTC) on which the calls began.';
comment on column warehouse.llm_cost.task is 'Name of the generation task.';
comment on column warehouse.llm_cost.model is 'The language model that was asked.';
comment on column warehouse.llm_cost.source is 'Source of the documents.';
comment on column warehouse.llm_cost.acl is 'Groups that may see the documents; empty is public.';
comment on column warehouse.llm_cost.calls is 'How many calls.';
comment on column warehouse.llm_cost.unanswered is 'Calls without a recorded end.';
comment on column warehouse.llm_cost.prompt_tokens is 'Tokens sent.';
comment on column warehouse.llm_cost.cached_tokens is 'Those of them that the provider had cached.';
comment on column warehouse.llm_cost.completion_tokens is 'Tokens written.';
comment on column warehouse.llm_cost.cost_usd is
'What they cost, USD; unanswered ones at the most they can cost.';

comment on view warehouse.entity_daily is 'Entities of the documents summarised on a day (UTC).';
comment on column warehouse.entity_daily.day is 'Day (UTC) on which the summaries were generated.';
comment on column warehouse.entity_daily.entity_id is 'The entity, as in corpus.mention.';
comment on column warehouse.entity_daily.name is 'Its name.';
comment on column warehouse.entity_daily.label is 'What it is, such as PERSON, ORG or GPE.';
comment on column warehouse.entity_daily.documents is
'In how many of the day''s documents it is named.';
comment on column warehouse.entity_daily.mentions is 'How often it is named in them.';

comment on view warehouse.topic_daily is 'Topics of the documents summarised on a day (UTC).';
comment on column warehouse.topic_daily.day is 'Day (UTC) on which the summaries were generated.';
comment on column warehouse.topic_daily.topic is 'The topic, in lower case.';
comment on column warehouse.topic_daily.documents is 'How many of the day''s documents have it.';

comment on view warehouse.digest_daily is
'A day in one row: what is new, topics on the rise against the week before, entities, cost.';
comment on column warehouse.digest_daily.day is 'Day (UTC) on which the summaries were generated.';
comment on column warehouse.digest_daily.documents is 'How many documents were summarised.';
comment on column warehouse.digest_daily.sources is 'Names of their sources, a list of texts.';
comment on column warehouse.digest_daily.newest is 'Titles of the ten newest.';
comment on column warehouse.digest_daily.topics is
'Ten topics that rise most, a list of topic, documents and before (the week before).';
comment on column warehouse.digest_daily.entities is
'Ten entities named in most documents, a list of name, label and documents.';
comment on column warehouse.digest_daily.cost_usd is 'What all calls of the day have cost, USD.';

comment on view warehouse.llm_cost_daily is
'Calls of the language model a day; unanswered ones count at the most they can cost.';
comment on column warehouse.llm_cost_daily.day is 'Day (UTC) on which the calls began.';
comment on column warehouse.llm_cost_daily.task is 'Name of the generation task.';
comment on column warehouse.llm_cost_daily.model is 'The language model that was asked.';
comment on column warehouse.llm_cost_daily.source is 'Source of the documents.';
comment on column warehouse.llm_cost_daily.calls is 'How many calls.';
comment on column warehouse.llm_cost_daily.unanswered is 'Calls without a recorded end.';
comment on column warehouse.llm_cost_daily.prompt_tokens is 'Tokens sent.';
comment on column warehouse.llm_cost_daily.cached_tokens is
'Those of them that the provider had cached.';
comment on column warehouse.llm_cost_daily.completion_tokens is 'Tokens written.';
comment on column warehouse.llm_cost_daily.cost_usd is 'What they cost, USD.';

comment on view warehouse.node is
'Things and events that published summaries relate, counted over documents the reader may see.';
comment on column warehouse.node.node_id is
'The node; an entity''s id where the document mentions it.';
comment on column warehouse.node.kind is 'thing or event.';
comment on column warehouse.node.name is 'A name that summaries use for it.';
comment on column warehouse.node.entity_id is 'Of corpus.entity, where the document mentions it.';
comment on column warehouse.node.documents is 'How many documents speak of it.';

comment on view warehouse.edge is
'What relates two nodes, with how often and in how many documents it is stated.';
comment on column warehouse.edge.subject_id is 'The node that it leads from.';
comment on column warehouse.edge.predicate is 'How both are related.';
comment on column warehouse.edge.object_id is 'The node that it leads to.';
comment on column warehouse.edge.kind is 'relation or event.';
comment on column warehouse.edge.subject is 'A name of the node that it leads from.';
comment on column warehouse.edge.object is 'A name of the node that it leads to.';
comment on column warehouse.edge.evidence is 'How often it is stated.';
comment on column warehouse.edge.documents is 'In how many documents.';

comment on view corpus.document_current is
'One row a document that is current; copies of it are in corpus.duplicate.';
comment on column corpus.document_current.doc_id is 'The document; a hash of its source and key.';
comment on column corpus.document_current.source is 'Name of its source.';
comment on column corpus.document_current.uri is
'Address of its file, record, member of an archive or attachment.';
comment on column corpus.document_current.title is
'Its title; else its record''s id or the name of its file.';
comment on column corpus.document_current.language is
'Its language (ISO 639-1), und where it cannot be told.';
comment on column corpus.document_current.type is 'Kind of file or record that it was read from.';
comment on column corpus.document_current.text is
'The extracted text; all offsets count its code points.';
comment on column corpus.document_current.metadata is
'Further fields of the record, sidecar or file.';
comment on column corpus.document_current.acl is 'Groups that may see it; empty is public.';
comment on column corpus.document_current.content_hash is 'Of title and text.';
comment on column corpus.document_current.stale is
'Whether a newer version could not be processed; ops.quarantine says why.';
comment on column corpus.document_current.modified_at is
'When it was modified, as its source says.';
comment on column corpus.document_current.ingested_at is 'When this version was loaded.';

comment on view corpus.chunk_current is 'One row a passage of a current document.';
comment on column corpus.chunk_current.chunk_id is
'The passage; a hash of the document, its text and which occurrence it is.';
comment on column corpus.chunk_current.doc_id is 'Its document.';
comment on column corpus.chunk_current.ordinal is 'Its place in the document, from 0.';
comment on column corpus.chunk_current.start_char is
'Where it begins in the document''s text, in code points from 0.';
comment on column corpus.chunk_current.end_char is 'Where it ends; the first code point after it.';
comment on column corpus.chunk_current.page is 'Its page, from 1, where the file has pages.';
comment on column corpus.chunk_current.heading_path is
'Headings that it stands under, from the outermost.';
comment on column corpus.chunk_current.text is 'Its words.';
comment on column corpus.chunk_current.acl is 'Groups that may see it; empty is public.';
comment on column corpus.chunk_current.flags is 'What was found in it, such as an injection.';

comment on table corpus.mention is 'One row a place where a document names an entity.';
comment on column corpus.mention.doc_id is 'The document.';
comment on column corpus.mention.start_char is
'Where it begins in the document''s text, in code points from 0.';
comment on column corpus.mention.end_char is 'Where it ends; the first code point after it.';
comment on column corpus.mention.text is 'The name as it stands there.';
comment on column corpus.mention.label is 'What it is, such as PERSON, ORG or GPE.';
comment on column corpus.mention.entity_id is 'The entity; a hash of label and normalised name.';

comment on view corpus.duplicate is
'One row a document that is a copy of another one and left out for it.';
comment on column corpus.duplicate.doc_id is 'The copy.';
comment on column corpus.duplicate.source is 'Name of its source.';
comment on column corpus.duplicate.uri is 'Its address.';
comment on column corpus.duplicate.canonical_doc_id is
'The document that is kept, in corpus.document_current.';
comment on column corpus.duplicate.similarity is 'How alike both are; 1 for exact copies.';

comment on view corpus.image_current is 'One row an image inside a current document, as a preview.';
comment on column corpus.image_current.doc_id is 'The document.';
comment on column corpus.image_current.ordinal is 'Which image of the document it is.';
comment on column corpus.image_current.start_char is
'Where it stands in the document''s text, in code points from 0.';
comment on column corpus.image_current.alt is 'What the document says instead of it.';
comment on column corpus.image_current.caption is 'Its caption.';
comment on column corpus.image_current.width is 'Of the preview, in pixels.';
comment on column corpus.image_current.height is 'Of the preview, in pixels.';
comment on column corpus.image_current.media_type is 'Of the preview, such as image/webp.';
comment on column corpus.image_current.digest is 'Hash of the preview.';
comment on column corpus.image_current.content is 'The preview.';

comment on view corpus.chunk_image is 'One row a passage and an image that stands in it.';
comment on column corpus.chunk_image.chunk_id is 'The passage.';
comment on column corpus.chunk_image.doc_id is 'Its document.';
comment on column corpus.chunk_image.ordinal is 'The image, as in corpus.image_current.';
comment on column corpus.chunk_image.start_char is
'Where it stands in the document''s text, in code points from 0.';
comment on column corpus.chunk_image.alt is 'What the document says instead of it.';
comment on column corpus.chunk_image.caption is 'Its caption.';
comment on column corpus.chunk_image.width is 'Of the preview, in pixels.';
comment on column corpus.chunk_image.height is 'Of the preview, in pixels.';
comment on column corpus.chunk_image.media_type is 'Of the preview, such as image/webp.';

comment on table ops.quarantine is 'One row an input that could not be processed, and why.';
comment on column ops.quarantine.quarantine_id is 'The row, for the command quarantine.';
comment on column ops.quarantine.source is 'Name of the source.';
comment on column ops.quarantine.uri is 'Address of the input.';
comment on column ops.quarantine.record_id is 'The record''s id, where it is one.';
comment on column ops.quarantine.stage is 'The stage that refused it.';
comment on column ops.quarantine.reason is 'Why, as a stable code.';
comment on column ops.quarantine.detail is 'Why and what to do, in a sentence.';
comment on column ops.quarantine.attempts is 'How often it was tried.';
comment on column ops.quarantine.first_seen_at is 'When it was refused first.';
comment on column ops.quarantine.last_seen_at is 'When it was refused last.';
comment on column ops.quarantine.path is 'Its file below the source''s root.';
comment on column ops.quarantine.key is 'Its key in the source.';
comment on column ops.quarantine.source_hash is 'Of the bytes or the record that were refused.';
comment on column ops.quarantine.transient is 'Whether another try may succeed as it is.';
comment on column ops.quarantine.retry is 'Whether the next run is to try it again.';
comment on column ops.quarantine.run_id is 'The run that refused it last.';
comment on column ops.quarantine.fence is 'Number of the observation.';

comment on table ops.run is 'One row a run of a pipeline.';
comment on column ops.run.run_id is 'The run; Airflow''s id, or local__ and a time.';
comment on column ops.run.kind is 'Who runs it, airflow or local.';
comment on column ops.run.source is 'The one source it was asked for.';
comment on column ops.run.state is
'running, success, failed, or stopped where a budget left work to the next run.';
comment on column ops.run.outcomes is 'How many inputs ended in which outcome.';
comment on column ops.run.detail is 'What went wrong, or what is left to do.';
comment on column ops.run.started_at is 'When it began.';
comment on column ops.run.ended_at is 'When it ended.';
