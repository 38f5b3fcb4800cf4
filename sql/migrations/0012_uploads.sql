-- Documents that a person drops on a conversation. Their bytes wait and stay here, so that any
-- process on any machine can work on them and deleting the conversation deletes them at once. The
-- serving role has no right on the table: it calls the functions below.
create table serving.upload (
    upload_id uuid primary key,
    conversation_id uuid not null
    references serving.conversation (conversation_id) on delete cascade,
    name text not null,
    content bytea not null,
    size integer not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'ready', 'failed')),
    reason text,
    doc_id uuid,
    attempts integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index upload_conversation on serving.upload (conversation_id);
create index upload_unfinished on serving.upload (created_at) where state in ('queued', 'running');
alter table serving.upload alter column content set storage external;
comment on table serving.upload is
'Documents of conversations, bytes included; gone with their conversation.';
comment on column serving.upload.reason is 'Why it failed: a sentence for its owner.';

alter table serving.upload enable row level security;
create policy everything on serving.upload to tidemark_pipeline using (true) with check (true);
create policy readable on serving.upload for select to tidemark_operator using (true);

-- Wakes the process that works on uploads, and purges what is left of those that are gone.
create function serving.tell_uploads() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_notify('tidemark_uploads', '');
    return null;
end
$$;
create trigger uploads_changed after insert or delete on serving.upload
for each statement execute function serving.tell_uploads();

-- Takes a document in: 'accepted', or why not: 'unknown' (no such conversation of that person),
-- 'full' (the conversation), 'quota' (the person). Calls of one person take turns, so that two at
-- once do not pass a limit together.
create function serving.accept_upload(
    upload_id uuid, conversation_id uuid, user_name text, name text, content bytea,
    most_documents integer, most_bytes bigint
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    documents bigint;
    bytes bigint;
begin
    perform pg_advisory_xact_lock(hashtext('tidemark upload'), hashtext($3));
    if not exists (
        select from serving.conversation as c
        where c.conversation_id = $2 and c.user_name = $3 and c.expires_at > now()
        for key share
    ) then
        return 'unknown';
    end if;
    select count(*) filter (where u.conversation_id = $2), coalesce(sum(u.size), 0)
    into documents, bytes
    from serving.upload as u
    inner join serving.conversation as c on u.conversation_id = c.conversation_id
    where c.user_name = $3 and u.state <> 'failed';
    if documents >= most_documents then
        return 'full';
    elsif bytes + length($5) > most_bytes then
        return 'quota';
    end if;
    insert into serving.upload (upload_id, conversation_id, name, content, size)
    values ($1, $2, $4, $5, length($5));
    return 'accepted';
end
$$;

-- Documents of a person: one of them, or those of a conversation.
create function serving.uploads_of(user_name text, upload uuid, conversation uuid)
returns table (
    upload_id uuid, conversation_id uuid, name text, state text, reason text, doc_id uuid
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select u.upload_id, u.conversation_id, u.name, u.state, u.reason, u.doc_id
    from serving.upload as u
    inner join serving.conversation as c on u.conversation_id = c.conversation_id
    where
        (u.upload_id = $2 or u.conversation_id = $3)
        and c.user_name = $1
        and c.expires_at > now()
    order by u.created_at, u.upload_id
$$;

-- The group that lets a conversation see its documents, for its owner alone; empty without any.
create function serving.upload_groups(conversation_id uuid, user_name text) returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select case when exists (
        select from serving.upload as u
        inner join serving.conversation as c on u.conversation_id = c.conversation_id
        where
            u.conversation_id = $1
            and u.state = 'ready'
            and c.user_name = $2
            and c.expires_at > now()
    ) then array['conversation:' || $1] else '{}' end
$$;

-- Sources of conversations that are gone, or whose documents are: to be purged.
create function serving.abandoned_sources() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select s.name
    from corpus.source as s
    where
        s.removed_at is null
        and s.acl[1] like 'conversation:%'
        and not exists (
            select from serving.upload as u
            where s.acl[1] = 'conversation:' || u.conversation_id
        )
$$;

-- Whether there is something to do and nobody at it. Whoever works holds that advisory lock, which
-- ends with its connection: a killed one leaves its uploads to the next.
create function serving.upload_work() returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select
        (
            exists (select from serving.upload as u where u.state in ('queued', 'running'))
            or exists (select from serving.abandoned_sources())
        )
        and not exists (
            select from pg_locks as l
            where
                l.locktype = 'advisory'
                and l.database = (
                    select d.oid from pg_database as d where d.datname = current_database()
                )
                and l.classid = 7461
                and l.objid = 12
        )
$$;

revoke all on function
serving.tell_uploads, serving.accept_upload, serving.uploads_of, serving.upload_groups,
serving.abandoned_sources, serving.upload_work
from public;
grant execute on function
serving.accept_upload, serving.uploads_of, serving.upload_groups, serving.upload_work
to tidemark_serving;
grant execute on function serving.abandoned_sources, serving.upload_work to tidemark_pipeline;
