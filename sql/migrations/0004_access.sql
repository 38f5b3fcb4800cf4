-- Who may see what: one rule, applied to every table by row-level security and, inside the
-- retrieval functions, by the same function.
create table corpus.analyst_role (
    role_name text primary key,
    groups text[] not null
);
comment on table corpus.analyst_role is
'SQL logins of analysts and the groups bound to them.';

-- Groups of the caller. session_user, not current_user: a definer function or SET ROLE changes
-- nothing. Only the serving role may set groups; unset means none, so public rows only. pg_temp
-- stands last in every search path here: left out, it would be searched first, and a caller's
-- temporary table named like a catalog would answer in its place.
create function corpus.caller_groups() returns text[]
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(value) filter (where value not like '!%'), '{}')
    from jsonb_array_elements_text(
        case
            when session_user = 'tidemark_serving' then
                coalesce(nullif(current_setting('tidemark.groups', true), ''), '[]')::jsonb
            else to_jsonb(
                coalesce(
                    (select groups from corpus.analyst_role where role_name = session_user), '{}'
                )
            )
        end
    ) as granted (value)
$$;

-- The operator, the pipeline and the owner see every row.
create function corpus.caller_sees_all() returns boolean
language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
as $$
    select
        session_user in ('tidemark_operator', 'tidemark_pipeline')
        or session_user = (
            select pg_get_userbyid(relowner)
            from pg_class
            where oid = 'corpus.document'::regclass
        )
$$;

-- The effective list: the source's is the outer bound. Narrowing to nobody hides.
create function corpus.effective_acl(outer_acl text[], own_acl text[]) returns text[]
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
    select case
        when own_acl is null then outer_acl
        when own_acl = '{}' or own_acl @> '{!nobody}' then '{!nobody}'::text[]
        when outer_acl = '{}' then own_acl
        else coalesce(
            (
                select array_agg(name order by name)
                from unnest(own_acl) as name
                where name = any(outer_acl)
            ), '{!nobody}'::text[]
        )
    end
$$;

alter table corpus.document enable row level security;
alter table corpus.chunk enable row level security;
alter table corpus.mention enable row level security;
alter table corpus.entity enable row level security;

create policy visible on corpus.document for select to tidemark_serving, tidemark_analyst
using (status <> 'deleted' and (acl = '{}' or acl && (select corpus.caller_groups())));
create policy visible on corpus.chunk for select to tidemark_serving, tidemark_analyst
using (acl = '{}' or acl && (select corpus.caller_groups()));
create policy visible on corpus.mention for select to tidemark_serving, tidemark_analyst
using (exists (select from corpus.document as d where d.doc_id = mention.doc_id));
create policy visible on corpus.entity for select to tidemark_serving, tidemark_analyst
using (exists (select from corpus.mention as m where m.entity_id = entity.entity_id));

create policy everything on corpus.document to tidemark_pipeline, tidemark_operator
using (true) with check (true);
create policy everything on corpus.chunk to tidemark_pipeline, tidemark_operator
using (true) with check (true);
create policy everything on corpus.mention to tidemark_pipeline, tidemark_operator
using (true) with check (true);
create policy everything on corpus.entity to tidemark_pipeline, tidemark_operator
using (true) with check (true);

create view corpus.document_current with (security_invoker = true) as
select
    doc_id,
    source,
    uri,
    coalesce(
        nullif(title, ''), nullif(record_id, ''), regexp_replace(file_path, '^.*/', '')
    ) as title,
    language,
    type,
    text,
    metadata,
    acl,
    content_hash,
    stale,
    modified_at,
    ingested_at
from corpus.document
where status = 'current';

create view corpus.chunk_current with (security_invoker = true) as
select
    c.chunk_id,
    c.doc_id,
    c.ordinal,
    c.start_char,
    c.end_char,
    c.page,
    c.heading_path,
    c.text,
    c.acl,
    c.flags
from corpus.chunk as c
inner join corpus.document as d on c.doc_id = d.doc_id
where d.status = 'current';

-- What duplicates what. Both ends carry equal lists, so the row is as visible as its document.
create function corpus.duplicate_of(document uuid)
returns table (canonical_doc_id uuid, similarity real)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select n.canonical_doc_id, n.similarity
    from corpus.near_duplicate as n
    inner join corpus.document as d on n.doc_id = d.doc_id
    inner join corpus.document as k on n.canonical_doc_id = k.doc_id
    where
        n.doc_id = document
        and (
            (select corpus.caller_sees_all())
            or k.acl = '{}'
            or k.acl && (select corpus.caller_groups())
        )
        and (
            (select corpus.caller_sees_all())
            or d.acl = '{}'
            or d.acl && (select corpus.caller_groups())
        )
$$;

create view corpus.duplicate with (security_invoker = true) as
select
    d.doc_id,
    d.source,
    d.uri,
    n.canonical_doc_id,
    n.similarity
from corpus.document as d
cross join lateral corpus.duplicate_of(d.doc_id) as n
where d.status = 'duplicate';

revoke all on all functions in schema corpus from public;
grant execute on all functions in schema corpus
to tidemark_serving, tidemark_analyst, tidemark_operator, tidemark_pipeline;

grant usage on schema corpus, ops, serving, warehouse to tidemark_operator, tidemark_pipeline;
grant usage on schema corpus, warehouse to tidemark_serving, tidemark_analyst;
grant usage on schema serving to tidemark_serving;

grant select on corpus.document, corpus.chunk, corpus.mention, corpus.entity
to tidemark_serving, tidemark_analyst;
grant select on corpus.document_current, corpus.chunk_current, corpus.duplicate
to tidemark_serving, tidemark_analyst;

grant select on all tables in schema corpus, ops, serving, warehouse to tidemark_operator;
grant select, insert, update, delete on all tables in schema corpus, ops, serving, warehouse
to tidemark_pipeline;
grant usage on sequence corpus.fence to tidemark_pipeline;
-- Binding groups to a login is the owner's alone.
revoke insert, update, delete on corpus.analyst_role from tidemark_pipeline;

alter default privileges in schema corpus, ops, serving, warehouse
grant select on tables to tidemark_operator;
alter default privileges in schema corpus, ops, serving, warehouse
grant select, insert, update, delete on tables to tidemark_pipeline;
