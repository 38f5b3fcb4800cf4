-- Passages of other documents that stand in a prompt. Who may read what came of it may read them,
-- too: a result whose passages are no longer theirs leaves the warehouse at once and is bought
-- again.
create table ops.generation_context (
    item_id uuid not null references ops.generation_item (item_id) on delete cascade,
    revision integer not null,
    ordinal integer not null,
    chunk_id uuid not null,
    doc_id uuid not null,
    primary key (item_id, revision, chunk_id)
);
create index generation_context_document on ops.generation_context (doc_id);
comment on table ops.generation_context is
'Passages that a question showed beside its document, chosen once a revision, before it was sent.';

alter table ops.generation_item add column context uuid[] not null default '{}';
create index generation_item_context on ops.generation_item using gin (context)
where context <> '{}';
comment on column ops.generation_item.context is
'Documents of the passages that stood in the prompt of its output.';

-- Whether everybody who sees a document may read all of these. What is deleted nobody may read, and
-- what came of a hidden document is read by nobody.
create function ops.context_allowed(of_doc uuid, context uuid[])
returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select context = '{}' or not exists (
        select
        from unnest(context) as c (doc_id)
        left join corpus.document as p on c.doc_id = p.doc_id
        left join corpus.document as d on d.doc_id = of_doc
        where
            not coalesce(
                p.status <> 'deleted'
                and (p.acl = '{}' or d.acl = '{!nobody}' or d.acl <> '{}' and d.acl <@ p.acl),
                false
            )
    )
$$;

-- Takes out what stands on passages that some reader of it may not read: of the items that these
-- documents bear on, or of all.
create function warehouse.withdraw(changed uuid[])
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    gone constant uuid[] := array(
        select i.item_id
        from ops.generation_item as i
        where
            i.context <> '{}'
            and (changed is null or i.context && changed or i.doc_id = any(changed))
            and not ops.context_allowed(i.doc_id, i.context)
    );
begin
    if gone <> '{}' then
        delete from warehouse.summary as s where s.item_id = any(gone);
        delete from warehouse.record as s where s.item_id = any(gone);
    end if;
end
$$;

-- As before, and what its context still allows.
create or replace function ops.publishable(wanted uuid[])
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
        and (i.context = '{}' or ops.context_allowed(i.doc_id, i.context))
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

-- As before, and what stands on passages that are no longer its readers' is withdrawn.
create or replace function warehouse.follow_documents()
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
    perform warehouse.withdraw(array(select doc_id from changed));
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

-- What a run was expected to ask and cost, and what it did.
create view ops.generation_cost with (security_invoker = true) as
select
    g.run_id,
    g.task,
    g.model,
    g.documents,
    (g.estimate ->> 'requests')::bigint as estimated_calls,
    c.calls,
    (g.estimate ->> 'prompt_tokens')::bigint as estimated_prompt_tokens,
    c.prompt_tokens,
    (g.estimate ->> 'completion_tokens')::bigint as estimated_completion_tokens,
    c.completion_tokens,
    (g.estimate ->> 'cost_usd')::numeric as estimated_usd,
    c.cost_usd,
    g.budget_usd
from ops.generation_run as g
cross join lateral (
    select
        count(*) as calls,
        coalesce(sum(l.prompt_tokens), 0)::bigint as prompt_tokens,
        coalesce(sum(l.completion_tokens), 0)::bigint as completion_tokens,
        coalesce(sum(coalesce(l.cost_usd, l.reserved_usd)), 0) as cost_usd
    from ops.llm_call as l
    where l.run_id = g.run_id
) as c;
comment on view ops.generation_cost is
'A generation run: estimated calls, tokens and money, and actual ones. Second attempts and repairs
are not estimated; calls without an end count at the most they can cost.';

grant select on ops.generation_cost to tidemark_operator, tidemark_pipeline;
grant select, insert, update, delete on ops.generation_context to tidemark_pipeline;
grant select on ops.generation_context to tidemark_operator;
revoke all on function ops.context_allowed, warehouse.withdraw from public;
grant execute on function ops.context_allowed, warehouse.withdraw to tidemark_pipeline;
