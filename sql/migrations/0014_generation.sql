-- What a language model is asked, what it cost, what became of it, and who decided.
alter table ops.run drop constraint run_state_check;
alter table ops.run add constraint run_state_check
check (state in ('running', 'success', 'stopped', 'failed'));
comment on column ops.run.state is
'stopped: a budget was reached; what is left is asked by the next run.';

create table ops.generation_run (
    run_id text primary key references ops.run (run_id) on delete cascade,
    task text not null,
    model text not null,
    prompt_version text not null,
    schema_hash text not null,
    budget_usd numeric,
    committed_usd numeric not null default 0,
    documents integer not null default 0,
    estimate jsonb not null default '{}'
);
comment on column ops.generation_run.committed_usd is
'What calls have cost, and the most that calls in flight can cost.';

create table ops.llm_month (
    month date primary key,
    committed_usd numeric not null default 0
);

-- What is paid for once: its identity is a hash of everything that decides the reply.
create table ops.generation_item (
    item_id uuid primary key,
    task text not null,
    doc_id uuid not null,
    source text not null,
    content_hash text not null,
    input_hash text not null,
    prompt_version text not null,
    model text not null,
    schema_hash text not null,
    fence bigint not null,
    state text not null default 'planned' check (
        state in ('planned', 'clean', 'review', 'rejected', 'blocked', 'failed')
    ),
    outcome text check (
        outcome in (
            'success', 'invalid_output', 'refused', 'error', 'expired', 'cancelled', 'missing'
        )
    ),
    output jsonb,
    output_hash text,
    flags text[] not null default '{}',
    grounded_score real,
    quality jsonb not null default '{}',
    compliance_status text,
    policy_versions jsonb not null default '{}',
    detail text,
    revision integer not null default 0,
    cost_usd numeric not null default 0,
    run_id text not null,
    planned_at timestamptz not null default now(),
    generated_at timestamptz,
    check (state <> 'clean' or (flags = '{}' and output is not null)),
    check (output is null or output_hash is not null)
);
create index generation_item_document on ops.generation_item (doc_id, task);
create index generation_item_run on ops.generation_item (run_id);
create index generation_item_state on ops.generation_item (state) where state = 'review';
comment on column ops.generation_item.fence is
'Number of the document''s observation that was asked about; published rows never go back.';
comment on column ops.generation_item.revision is
'How often it was bought again on request; part of the identity of its questions.';
comment on column ops.generation_item.flags is
'Why people must decide; a row with flags is never clean.';

create table ops.llm_request (
    request_id uuid primary key,
    item_id uuid not null references ops.generation_item (item_id) on delete cascade,
    part text not null,
    outcome text,
    reply text,
    detail text,
    answered_at timestamptz
);
create index llm_request_item on ops.llm_request (item_id);
comment on table ops.llm_request is
'Questions of an item: whole, or parts and their merge, and a second attempt.';

create table ops.llm_batch (
    batch_id uuid primary key,
    run_id text not null references ops.run (run_id) on delete cascade,
    shard integer not null,
    provider text not null,
    provider_batch_id text,
    state text not null,
    requests integer not null,
    reserved_usd numeric not null default 0,
    intended_at timestamptz not null default now(),
    submitted_at timestamptz,
    ended_at timestamptz
);

-- The ledger: a row a call, written before the call is sent. Without an end it may have been paid.
create table ops.llm_call (
    call_id uuid primary key,
    request_id uuid not null,
    item_id uuid not null,
    run_id text not null,
    worker text not null,
    attempt integer not null,
    batch_id uuid,
    month date not null,
    reserved_usd numeric not null default 0,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    status text,
    prompt_tokens integer not null default 0,
    cached_tokens integer not null default 0,
    completion_tokens integer not null default 0,
    cost_usd numeric
);
create index llm_call_request on ops.llm_call (request_id);
create index llm_call_run on ops.llm_call (run_id);
create index llm_call_item on ops.llm_call (item_id);
comment on table ops.llm_call is
'A call of the language model: the task attempt that made it, its tokens and its cost.';

create table ops.review (
    item_id uuid primary key references ops.generation_item (item_id) on delete cascade,
    run_id text not null,
    state text not null default 'waiting' check (
        state in ('waiting', 'approved', 'rejected', 'void')
    ),
    output_hash text not null,
    asked_in text,
    asked_batch integer,
    claimed_at timestamptz,
    proposal jsonb,
    proposal_hash text,
    refused jsonb,
    warned text[] not null default '{}',
    asked_at timestamptz not null default now(),
    decided_by text,
    decided_at timestamptz,
    reason text,
    edited boolean not null default false,
    check ((proposal is null) = (proposal_hash is null)),
    check (state not in ('approved', 'rejected') or coalesce(decided_by, '') <> ''),
    check (state not in ('approved', 'rejected') or decided_at is not null)
);
create index review_waiting on ops.review (asked_at) where state = 'waiting';
comment on column ops.review.asked_in is 'Run of summary_review that waits for the decision.';
comment on column ops.review.proposal is
'An edited output that somebody has approved and that the filters have yet to see.';
comment on column ops.review.refused is
'Why the filters refused the proposal; null while they have yet to see it.';
comment on column ops.review.warned is
'Rules that somebody has been told about the proposal, and may insist on.';
comment on table ops.review is 'Decisions of people, each with a name; void: the document changed.';

create table ops.review_event (
    event_id bigint generated always as identity primary key,
    item_id uuid not null,
    action text not null check (action in ('approve', 'edit', 'reject', 'void')),
    decided_by text not null,
    decided_at timestamptz not null default now(),
    reason text,
    before_hash text,
    after_hash text
);
create index review_event_item on ops.review_event (item_id);

-- What was flagged once is published by a named person's word alone, whatever is said of it later.
create table ops.flagged (
    item_id uuid not null references ops.generation_item (item_id) on delete cascade,
    output_hash text not null,
    digest bytea not null,
    flagged_at timestamptz not null default now(),
    primary key (item_id, output_hash)
);
comment on column ops.flagged.digest is 'Of the output itself, whatever hash it goes by.';

-- The warehouse. Its rows are written by one function, which asks whether they may be published.
create table warehouse.summary (
    doc_id uuid primary key,
    item_id uuid not null,
    output_hash text not null,
    source text not null,
    uri text not null,
    title text not null,
    language text not null,
    acl text[] not null,
    summary text not null,
    key_points jsonb not null default '[]',
    entities jsonb not null default '[]',
    topics jsonb not null default '[]',
    sentiment text,
    document_type text,
    questions jsonb not null default '[]',
    relations jsonb not null default '[]',
    events jsonb not null default '[]',
    model text not null,
    prompt_version text not null,
    content_hash text not null,
    grounded_score real,
    compliance_status text not null,
    approved_by text,
    generated_at timestamptz not null,
    published_at timestamptz not null default now(),
    cost_usd numeric not null,
    fence bigint not null
);

create table warehouse.record (
    task text not null,
    doc_id uuid not null,
    item_id uuid not null,
    output_hash text not null,
    source text not null,
    uri text not null,
    title text not null,
    language text not null,
    acl text[] not null,
    output jsonb not null,
    model text not null,
    prompt_version text not null,
    content_hash text not null,
    grounded_score real,
    compliance_status text not null,
    approved_by text,
    generated_at timestamptz not null,
    published_at timestamptz not null default now(),
    cost_usd numeric not null,
    fence bigint not null,
    primary key (task, doc_id)
);
create index record_document on warehouse.record (doc_id);

create table warehouse.finding (
    item_id uuid not null,
    direction text not null check (direction in ('input', 'output')),
    number integer not null,
    task text not null,
    doc_id uuid not null,
    source text not null,
    acl text[] not null,
    rule text not null,
    kind text not null,
    severity text not null,
    action text not null,
    start_char integer not null,
    end_char integer not null,
    evidence jsonb not null,
    policy_version text not null,
    found_at timestamptz not null default now(),
    primary key (item_id, direction, number)
);
create index finding_document on warehouse.finding (doc_id);

alter table warehouse.summary enable row level security;
alter table warehouse.record enable row level security;
alter table warehouse.finding enable row level security;
create policy visible on warehouse.summary for select to tidemark_analyst
using (
    (acl = '{}' or acl && (select corpus.caller_groups()))
    and exists (select from corpus.document as d where d.doc_id = summary.doc_id)
);
create policy visible on warehouse.record for select to tidemark_analyst
using (
    (acl = '{}' or acl && (select corpus.caller_groups()))
    and exists (select from corpus.document as d where d.doc_id = record.doc_id)
);
create policy visible on warehouse.finding for select to tidemark_analyst
using (
    (acl = '{}' or acl && (select corpus.caller_groups()))
    and exists (select from corpus.document as d where d.doc_id = finding.doc_id)
);
create policy everything on warehouse.summary to tidemark_pipeline, tidemark_operator
using (true) with check (true);
create policy everything on warehouse.record to tidemark_pipeline, tidemark_operator
using (true) with check (true);
create policy everything on warehouse.finding to tidemark_pipeline, tidemark_operator
using (true) with check (true);

create view warehouse.document_summary with (security_invoker = true) as
select
    s.doc_id,
    s.source,
    s.uri,
    s.title,
    s.language,
    s.acl,
    s.summary,
    s.key_points,
    s.entities,
    s.topics,
    s.sentiment,
    s.model,
    s.prompt_version,
    s.content_hash,
    s.grounded_score,
    s.compliance_status,
    s.approved_by,
    s.generated_at,
    s.cost_usd,
    s.document_type,
    s.questions,
    s.relations,
    s.events,
    s.published_at
from warehouse.summary as s;

create view warehouse.generated_record with (security_invoker = true) as
select
    r.task,
    r.doc_id,
    r.source,
    r.uri,
    r.title,
    r.language,
    r.acl,
    r.output,
    r.model,
    r.prompt_version,
    r.content_hash,
    r.grounded_score,
    r.compliance_status,
    r.approved_by,
    r.generated_at,
    r.cost_usd,
    r.published_at
from warehouse.record as r;

create view warehouse.compliance_finding with (security_invoker = true) as
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
    f.item_id
from warehouse.finding as f;

-- Which items may be published: clean, or approved by somebody with a name, as they stand now, and
-- of the version of the document that is current.
create function ops.publishable(wanted uuid[])
returns table (item_id uuid, approved_by text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select distinct on (i.task, i.doc_id)
        i.item_id,
        case when i.state = 'review' then r.decided_by end
    from ops.generation_item as i
    inner join corpus.document as d
        on i.doc_id = d.doc_id and i.content_hash = d.content_hash
    left join ops.review as r on i.item_id = r.item_id and i.output_hash = r.output_hash
    where
        (wanted is null or i.item_id = any(wanted))
        and d.status = 'current'
        and i.output is not null
        and (
            (
                i.state = 'clean'
                and i.flags = '{}'
                and not exists (
                    select from ops.flagged as f
                    where f.item_id = i.item_id and f.output_hash = i.output_hash
                )
            )
            or (i.state = 'review' and r.state = 'approved' and coalesce(r.decided_by, '') <> '')
        )
    order by i.task, i.doc_id, i.generated_at desc, i.item_id
$$;

-- Publishes what may be, and says how many rows it wrote; what stands already is not written again.
create function warehouse.publish(wanted uuid[])
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    written integer := 0;
    more integer;
begin
    perform pg_advisory_xact_lock(hashtext('tidemark publish'));
    create temporary table ready on commit drop as
    select i.*, p.approved_by, d.uri, d.language, d.acl, coalesce(
        nullif(d.title, ''), nullif(d.record_id, ''), regexp_replace(d.file_path, '^.*/', '')
    ) as title
    from ops.publishable(wanted) as p
    inner join ops.generation_item as i on p.item_id = i.item_id
    inner join corpus.document as d on i.doc_id = d.doc_id;

    insert into warehouse.summary as s (
        doc_id, item_id, output_hash, source, uri, title, language, acl, summary, key_points,
        entities, topics, sentiment, document_type, questions, relations, events, model,
        prompt_version, content_hash, grounded_score, compliance_status, approved_by, generated_at, cost_usd, fence
    )
    select
        r.doc_id, r.item_id, r.output_hash, r.source, r.uri, r.title, r.language, r.acl,
        r.output ->> 'summary',
        coalesce(r.output -> 'key_points', '[]'), coalesce(r.output -> 'entities', '[]'),
        coalesce(r.output -> 'topics', '[]'), r.output ->> 'sentiment',
        r.output ->> 'document_type', coalesce(r.output -> 'questions', '[]'),
        coalesce(r.output -> 'relations', '[]'), coalesce(r.output -> 'events', '[]'), r.model,
        r.prompt_version, r.content_hash, r.grounded_score, coalesce(r.compliance_status, 'clean'),
        r.approved_by, r.generated_at, r.cost_usd, r.fence
    from pg_temp.ready as r
    where r.task = 'document_summary'
    on conflict (doc_id) do update set
        item_id = excluded.item_id,
        output_hash = excluded.output_hash,
        source = excluded.source,
        uri = excluded.uri,
        title = excluded.title,
        language = excluded.language,
        acl = excluded.acl,
        summary = excluded.summary,
        key_points = excluded.key_points,
        entities = excluded.entities,
        topics = excluded.topics,
        sentiment = excluded.sentiment,
        document_type = excluded.document_type,
        questions = excluded.questions,
        relations = excluded.relations,
        events = excluded.events,
        model = excluded.model,
        prompt_version = excluded.prompt_version,
        content_hash = excluded.content_hash,
        grounded_score = excluded.grounded_score,
        compliance_status = excluded.compliance_status,
        approved_by = excluded.approved_by,
        generated_at = excluded.generated_at,
        published_at = now(),
        cost_usd = excluded.cost_usd,
        fence = excluded.fence
    where
        s.fence <= excluded.fence
        and (s.fence < excluded.fence or s.generated_at <= excluded.generated_at)
        and (
            s.item_id, s.output_hash, s.generated_at, s.uri, s.title, s.language, s.acl,
            s.approved_by
        )
        is distinct from (
            excluded.item_id, excluded.output_hash, excluded.generated_at, excluded.uri,
            excluded.title, excluded.language, excluded.acl, excluded.approved_by
        );
    get diagnostics written = row_count;

    insert into warehouse.record as s (
        task, doc_id, item_id, output_hash, source, uri, title, language, acl, output, model,
        prompt_version, content_hash, grounded_score, compliance_status, approved_by, generated_at, cost_usd, fence
    )
    select
        r.task, r.doc_id, r.item_id, r.output_hash, r.source, r.uri, r.title, r.language, r.acl,
        r.output, r.model, r.prompt_version, r.content_hash, r.grounded_score,
        coalesce(r.compliance_status, 'clean'), r.approved_by, r.generated_at, r.cost_usd, r.fence
    from pg_temp.ready as r
    where r.task <> 'document_summary'
    on conflict (task, doc_id) do update set
        item_id = excluded.item_id,
        output_hash = excluded.output_hash,
        source = excluded.source,
        uri = excluded.uri,
        title = excluded.title,
        language = excluded.language,
        acl = excluded.acl,
        output = excluded.output,
        model = excluded.model,
        prompt_version = excluded.prompt_version,
        content_hash = excluded.content_hash,
        grounded_score = excluded.grounded_score,
        compliance_status = excluded.compliance_status,
        approved_by = excluded.approved_by,
        generated_at = excluded.generated_at,
        published_at = now(),
        cost_usd = excluded.cost_usd,
        fence = excluded.fence
    where
        s.fence <= excluded.fence
        and (s.fence < excluded.fence or s.generated_at <= excluded.generated_at)
        and (
            s.item_id, s.output_hash, s.generated_at, s.uri, s.title, s.language, s.acl,
            s.approved_by
        )
        is distinct from (
            excluded.item_id, excluded.output_hash, excluded.generated_at, excluded.uri,
            excluded.title, excluded.language, excluded.acl, excluded.approved_by
        );
    get diagnostics more = row_count;
    drop table pg_temp.ready;
    return written + more;
end
$$;

-- What is retired leaves the warehouse with it, and changes of access follow at once. A review of a
-- version that is no more decides nothing.
create function warehouse.follow_documents()
returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    delete from warehouse.summary as s
    using changed as d
    where s.doc_id = d.doc_id and d.status <> 'current';
    delete from warehouse.record as s
    using changed as d
    where s.doc_id = d.doc_id and d.status <> 'current';
    update warehouse.summary as s
    set acl = d.acl
    from changed as d
    where s.doc_id = d.doc_id and s.acl <> d.acl;
    update warehouse.record as s
    set acl = d.acl
    from changed as d
    where s.doc_id = d.doc_id and s.acl <> d.acl;
    update warehouse.finding as s
    set acl = d.acl
    from changed as d
    where s.doc_id = d.doc_id and s.acl <> d.acl;
    update ops.review as r
    set state = 'void'
    from ops.generation_item as i, changed as d
    where
        r.item_id = i.item_id
        and i.doc_id = d.doc_id
        and r.state in ('waiting', 'approved')
        and (d.status <> 'current' or i.content_hash <> d.content_hash);
    return null;
end
$$;

create trigger follow_documents
after update on corpus.document
referencing new table as changed
for each statement
execute function warehouse.follow_documents();

-- Commits the most that calls can cost, for a run and for the month, unless a budget forbids it.
create function ops.reserve(
    of_run text, amount numeric, month_budget numeric
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    this_month date := date_trunc('month', now() at time zone 'UTC')::date;
begin
    insert into ops.llm_month (month) values (this_month) on conflict do nothing;
    perform from ops.llm_month where month = this_month for update;
    if month_budget is not null and amount > 0 and exists (
        select from ops.llm_month as m
        where m.month = this_month and m.committed_usd + amount > month_budget
    ) then
        return false;
    end if;
    update ops.generation_run as g
    set committed_usd = g.committed_usd + amount
    where
        g.run_id = of_run
        and (amount <= 0 or g.budget_usd is null or g.committed_usd + amount <= g.budget_usd);
    if not found then
        return false;
    end if;
    update ops.llm_month as m
    set committed_usd = m.committed_usd + amount
    where m.month = this_month;
    return true;
end
$$;

grant usage on schema ops to tidemark_pipeline;
grant select, insert, update, delete on
ops.generation_run, ops.llm_month, ops.generation_item, ops.llm_request, ops.llm_batch,
ops.llm_call, ops.review, ops.review_event, warehouse.finding
to tidemark_pipeline;
grant select on
ops.generation_run, ops.llm_month, ops.generation_item, ops.llm_request, ops.llm_batch,
ops.llm_call, ops.review, ops.review_event
to tidemark_operator;
revoke insert, update on warehouse.summary, warehouse.record from tidemark_pipeline;
revoke all on function
ops.publishable, warehouse.publish, ops.reserve, warehouse.follow_documents
from public;
grant execute on function ops.publishable, warehouse.publish, ops.reserve to tidemark_pipeline;
grant select on
warehouse.summary, warehouse.record, warehouse.finding, warehouse.document_summary,
warehouse.generated_record, warehouse.compliance_finding
to tidemark_analyst;

-- What analysts read by day. Each view counts only rows that its reader may see.
create view warehouse.entity_daily with (security_invoker = true) as
select
    (s.generated_at at time zone 'UTC')::date as day,
    (e.entity ->> 'entity_id')::uuid as entity_id,
    e.entity ->> 'name' as name,
    e.entity ->> 'label' as label,
    count(distinct s.doc_id) as documents,
    sum((e.entity ->> 'mentions')::integer) as mentions
from warehouse.summary as s
cross join lateral jsonb_array_elements(s.entities) as e (entity)
group by 1, 2, 3, 4;

create view warehouse.topic_daily with (security_invoker = true) as
select
    (s.generated_at at time zone 'UTC')::date as day,
    lower(t.topic) as topic,
    count(distinct s.doc_id) as documents
from warehouse.summary as s
cross join lateral jsonb_array_elements_text(s.topics) as t (topic)
group by 1, 2;

create function warehouse.visible_costs()
returns table (
    day date,
    task text,
    model text,
    source text,
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
    group by 1, 2, 3, 4
$$;

create view warehouse.llm_cost_daily with (security_invoker = true) as
select
    c.day,
    c.task,
    c.model,
    c.source,
    c.calls,
    c.unanswered,
    c.prompt_tokens,
    c.cached_tokens,
    c.completion_tokens,
    c.cost_usd
from warehouse.visible_costs() as c;

create view warehouse.digest_daily with (security_invoker = true) as
select
    n.day,
    n.documents,
    n.sources,
    n.newest,
    coalesce(
        (
            select jsonb_agg(
                jsonb_build_object('topic', t.topic, 'documents', t.documents, 'before', t.earlier)
                order by t.documents - t.earlier / 7.0 desc, t.topic
            )
            from (
                select
                    d.topic,
                    d.documents,
                    coalesce(sum(b.documents), 0) as earlier
                from warehouse.topic_daily as d
                left join warehouse.topic_daily as b
                    on d.topic = b.topic and b.day >= d.day - 7 and b.day < d.day
                where d.day = n.day
                group by d.topic, d.documents
                order by d.documents - coalesce(sum(b.documents), 0) / 7.0 desc, d.topic
                limit 10
            ) as t
        ), '[]'
    ) as topics,
    coalesce(
        (
            select jsonb_agg(
                jsonb_build_object('name', e.name, 'label', e.label, 'documents', e.documents)
                order by e.documents desc, e.name
            )
            from (
                select
                    d.name,
                    d.label,
                    d.documents
                from warehouse.entity_daily as d
                where d.day = n.day
                order by d.documents desc, d.name
                limit 10
            ) as e
        ), '[]'
    ) as entities,
    coalesce(
        (select sum(c.cost_usd) from warehouse.llm_cost_daily as c where c.day = n.day), 0
    ) as cost_usd
from (
    select
        (s.generated_at at time zone 'UTC')::date as day,
        count(*) as documents,
        jsonb_agg(distinct s.source) as sources,
        to_jsonb((array_agg(s.title order by s.generated_at desc, s.doc_id))[1:10]) as newest
    from warehouse.summary as s
    group by 1
) as n;

comment on view warehouse.document_summary is
'One row a current document that has a published summary.';
comment on view warehouse.generated_record is
'Results of all other generation tasks, one row a task and document.';
comment on view warehouse.compliance_finding is
'What the policy found in inputs (offsets into the document) and outputs (into a field).';
comment on view warehouse.entity_daily is 'Entities of the documents summarised on a day (UTC).';
comment on view warehouse.topic_daily is 'Topics of the documents summarised on a day (UTC).';
comment on view warehouse.llm_cost_daily is
'Calls of the language model a day; unanswered ones count at the most they can cost.';
comment on view warehouse.digest_daily is
'A day in one row: what is new, topics on the rise against the week before, entities, cost.';

revoke all on function warehouse.visible_costs from public;
grant execute on function warehouse.visible_costs
to tidemark_analyst, tidemark_operator, tidemark_pipeline;
grant select on
warehouse.entity_daily, warehouse.topic_daily, warehouse.llm_cost_daily, warehouse.digest_daily
to tidemark_analyst, tidemark_operator, tidemark_pipeline;
