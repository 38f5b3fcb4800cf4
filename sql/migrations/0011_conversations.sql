-- Conversations and what answers were made of. The service reaches them through definer functions
-- alone: each takes the user, whom the service has identified, and shows an answer only while its
-- reader may still see every document it was made from.
create table serving.conversation (
    conversation_id uuid primary key,
    user_name text not null,
    title text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index conversation_user on serving.conversation (user_name, updated_at desc);
create index conversation_expires on serving.conversation (expires_at);

create table serving.turn (
    conversation_id uuid not null references serving.conversation on delete cascade,
    ordinal integer not null,
    answer_id uuid not null unique,
    question text not null,
    answer text,
    citations jsonb not null default '[]',
    documents uuid[] not null default '{}',
    refused boolean not null,
    degraded boolean not null,
    created_at timestamptz not null default now(),
    primary key (conversation_id, ordinal)
);
create index turn_documents on serving.turn using gin (documents);
comment on column serving.turn.documents is
'What the answer cites; who may not see all of it does not see the answer.';

-- Lineage of answers, without any text.
create table serving.answer (
    answer_id uuid primary key,
    conversation_id uuid not null references serving.conversation on delete cascade,
    user_name text not null,
    style text not null,
    model text,
    prompt_version text not null,
    prompt_tokens integer not null,
    refused boolean not null,
    degraded boolean not null,
    documents uuid[] not null default '{}',
    passages jsonb not null default '[]',
    timings_ms jsonb not null default '{}',
    created_at timestamptz not null default now()
);
create index answer_documents on serving.answer using gin (documents);
create index answer_conversation on serving.answer (conversation_id);
comment on column serving.answer.passages is
'chunk_id, doc_id, content_hash, start_char and end_char as they were, sent (stood in the prompt), '
'cited.';

alter table serving.conversation enable row level security;
alter table serving.turn enable row level security;
alter table serving.answer enable row level security;
create policy everything on serving.conversation for select to tidemark_operator using (true);
create policy everything on serving.turn for select to tidemark_operator using (true);
create policy everything on serving.answer for select to tidemark_operator using (true);
-- The batch side has no business here.
revoke all on serving.conversation, serving.turn, serving.answer from tidemark_pipeline;

create function serving.owns_conversation(conversation uuid, caller text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from serving.conversation as c
        where c.conversation_id = $1 and c.user_name = $2 and c.expires_at > now()
    )
$$;

-- Begins a conversation, or continues one of the caller's. False where the id is another's.
create function serving.open_conversation(
    conversation uuid, caller text, heading text, keep_days integer
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    insert into serving.conversation as c (conversation_id, user_name, title, expires_at)
    values (conversation, caller, heading, now() + make_interval(days => keep_days))
    on conflict (conversation_id) do update
    set
        updated_at = now(),
        expires_at = excluded.expires_at,
        title = case when c.title = '' then excluded.title else c.title end
    where c.user_name = excluded.user_name;
    return found;
end
$$;

-- Keeps a turn and the lineage of its answer in one step.
create function serving.keep_answer(
    conversation uuid, caller text, keep_days integer, heading text, asked text, made jsonb,
    docs uuid[], used jsonb
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if not serving.open_conversation(conversation, caller, heading, keep_days) then
        return false;
    end if;
    -- The row above is locked, so turns of one conversation take their numbers one by one.
    insert into serving.turn (
        conversation_id, ordinal, answer_id, question, answer, citations, documents, refused,
        degraded
    )
    select
        conversation, coalesce(max(t.ordinal), 0) + 1, (made ->> 'answer_id')::uuid, asked,
        made ->> 'text', made -> 'citations', docs, (made ->> 'refused')::boolean,
        (made ->> 'degraded')::boolean
    from serving.turn as t
    where t.conversation_id = conversation;
    insert into serving.answer (
        answer_id, conversation_id, user_name, style, model, prompt_version, prompt_tokens, refused,
        degraded, documents, passages, timings_ms
    )
    select
        (made ->> 'answer_id')::uuid, conversation, caller, made ->> 'style',
        made ->> 'model', made ->> 'prompt_version', (made ->> 'prompt_tokens')::integer,
        (made ->> 'refused')::boolean, (made ->> 'degraded')::boolean,
        array(
            select distinct (item ->> 'doc_id')::uuid from jsonb_array_elements(used) as item
        ),
        coalesce(
            (
                select jsonb_agg(
                    item || jsonb_build_object(
                        'content_hash', d.content_hash,
                        'start_char', c.start_char,
                        'end_char', c.end_char
                    )
                )
                from jsonb_array_elements(used) as item
                left join corpus.chunk as c on c.chunk_id = (item ->> 'chunk_id')::uuid
                left join corpus.document as d on d.doc_id = (item ->> 'doc_id')::uuid
            ), '[]'
        ),
        coalesce(made -> 'timings_ms', '{}');
    return true;
end
$$;

create function serving.conversations_of(caller text, amount integer)
returns table (
    conversation_id uuid, title text, created_at timestamptz, updated_at timestamptz, turns bigint
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select
        c.conversation_id, c.title, c.created_at, c.updated_at,
        (select count(*) from serving.turn as t where t.conversation_id = c.conversation_id)
    from serving.conversation as c
    where c.user_name = caller and c.expires_at > now()
    order by c.updated_at desc, c.conversation_id
    limit amount
$$;

-- Turns, oldest first. `answer` is null where a document behind it is gone or not to be seen.
create function serving.turns_of(conversation uuid, caller text, amount integer)
returns table (
    ordinal integer, answer_id uuid, question text, answer text, citations jsonb, refused boolean,
    degraded boolean, created_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    everything constant boolean := corpus.caller_sees_all();
    groups constant text[] := corpus.caller_groups();
begin
    return query
    select
        l.ordinal, l.answer_id, l.question,
        case when v.visible then l.answer end,
        case when v.visible then l.citations else '[]' end,
        l.refused, l.degraded, l.created_at
    from (
        select t.*
        from serving.turn as t
        inner join serving.conversation as c on t.conversation_id = c.conversation_id
        where t.conversation_id = conversation and c.user_name = caller and c.expires_at > now()
        order by t.ordinal desc
        limit amount
    ) as l
    cross join lateral (
        select not exists (
            select
            from unnest(l.documents) as wanted (doc_id)
            left join corpus.document as d
                on
                    wanted.doc_id = d.doc_id
                    and d.status = 'current'
                    and (everything or d.acl = '{}' or d.acl && groups)
            where d.doc_id is null
        ) as visible
    ) as v
    order by l.ordinal;
end
$$;

create function serving.delete_conversation(conversation uuid, caller text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    delete from serving.conversation as c
    where c.conversation_id = conversation and c.user_name = caller;
    return found;
end
$$;

create function serving.delete_expired_conversations() returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$ delete from serving.conversation as c where c.expires_at <= now() $$;

-- What came of a document goes with it: answers that were made from it lose their text.
create function serving.forget_answers() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    update serving.turn as t
    set answer = null, citations = '[]'
    from (
        select array_agg(g.doc_id) as ids from gone as g where g.status = 'deleted'
    ) as lost
    where t.documents && lost.ids and t.answer is not null;
    return null;
end
$$;
create trigger forget_answers_of_retired after update on corpus.document
referencing new table as gone
for each statement execute function serving.forget_answers();

revoke all on all functions in schema serving from public;
grant execute on function
serving.owns_conversation, serving.open_conversation, serving.keep_answer,
serving.conversations_of, serving.turns_of, serving.delete_conversation,
serving.delete_expired_conversations
to tidemark_serving, tidemark_operator;
