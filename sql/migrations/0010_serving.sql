-- What the query service keeps: sessions, one-time codes, the query log and feedback. The serving
-- role has no right on any of the tables: it calls the functions below, which take and return what
-- one request needs and no more. Secrets are kept as hashes alone.
create table serving.session (
    token_hash bytea primary key,
    user_name text not null,
    groups text[] not null,
    roles text[] not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index session_expires on serving.session (expires_at);
comment on table serving.session is 'Cookies of the search page, hashed.';

create table serving.one_time_code (
    code_hash bytea primary key,
    user_name text not null,
    groups text[] not null,
    roles text[] not null,
    session_seconds integer not null check (session_seconds > 0),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
comment on table serving.one_time_code is
'Codes of one-time links, hashed; gone as soon as they are used.';

create table serving.query_log (
    query_id uuid primary key,
    asked_at timestamptz not null default now(),
    kind text not null check (kind in ('search', 'answer')),
    user_name text not null,
    groups text[] not null,
    query text not null,
    filters jsonb not null default '{}',
    mode text,
    top_k integer,
    hits integer,
    outcome text not null,
    cached boolean not null default false,
    milliseconds real not null,
    timings_ms jsonb not null default '{}',
    recall real
);
create index query_log_asked on serving.query_log (asked_at);
create index query_log_user on serving.query_log (user_name, asked_at);
comment on table serving.query_log is
'What was asked, personal data and secrets masked; kept for TIDEMARK_QUERY_LOG_DAYS.';
comment on column serving.query_log.recall is
'Recall@10 of the filtered dense search against an exact one, where it was sampled.';

create table serving.feedback (
    subject_id uuid not null,
    user_name text not null,
    subject text not null check (subject in ('query', 'answer')),
    rating text not null check (rating in ('up', 'down')),
    comment text not null default '',
    given_at timestamptz not null default now(),
    primary key (subject_id, user_name)
);
create index feedback_given on serving.feedback (given_at);
comment on table serving.feedback is 'One verdict a person on a query or an answer of their own.';

alter table serving.session enable row level security;
alter table serving.one_time_code enable row level security;
alter table serving.query_log enable row level security;
alter table serving.feedback enable row level security;

-- The operator reads the log and feedback; sessions and codes are nobody's but the service's.
create policy everything on serving.query_log for select to tidemark_operator using (true);
create policy everything on serving.feedback for select to tidemark_operator using (true);
revoke all on serving.session, serving.one_time_code from tidemark_operator, tidemark_pipeline;
revoke insert, update, delete on serving.query_log, serving.feedback from tidemark_pipeline;
revoke select on serving.query_log, serving.feedback from tidemark_pipeline;

create function serving.open_session(
    token_hash bytea, user_name text, groups text[], roles text[], expires_at timestamptz
) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    insert into serving.session (token_hash, user_name, groups, roles, expires_at)
    values ($1, $2, $3, $4, $5)
$$;

create function serving.read_session(token_hash bytea)
returns table (user_name text, groups text[], roles text[], expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select s.user_name, s.groups, s.roles, s.expires_at
    from serving.session as s
    where s.token_hash = $1 and s.expires_at > now()
$$;

create function serving.close_session(token_hash bytea) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    with closed as (
        delete from serving.session as s where s.token_hash = $1 returning 1
    )
    select exists (select from closed)
$$;

-- A code becomes a session in one statement: of two who bring the same code, one gets in.
create function serving.redeem_code(code_hash bytea, token_hash bytea)
returns table (user_name text, groups text[], roles text[], expires_at timestamptz)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    with used as (
        delete from serving.one_time_code as c where c.code_hash = $1 returning c.*
    )
    insert into serving.session as s (token_hash, user_name, groups, roles, expires_at)
    select $2, u.user_name, u.groups, u.roles, now() + make_interval(secs => u.session_seconds)
    from used as u
    where u.expires_at > now()
    returning s.user_name, s.groups, s.roles, s.expires_at
$$;

create function serving.log_queries(entries jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    insert into serving.query_log (
        query_id, asked_at, kind, user_name, groups, query, filters, mode, top_k, hits, outcome,
        cached, milliseconds, timings_ms
    )
    select
        e.query_id, e.asked_at, e.kind, e.user_name, e.groups, e.query, e.filters, e.mode,
        e.top_k, e.hits, e.outcome, e.cached, e.milliseconds, e.timings_ms
    from jsonb_to_recordset($1) as e (
        query_id uuid, asked_at timestamptz, kind text, user_name text, groups text[], query text,
        filters jsonb, mode text, top_k integer, hits integer, outcome text, cached boolean,
        milliseconds real, timings_ms jsonb
    )
    on conflict (query_id) do nothing
$$;

-- False where there is no such query or answer, or it is somebody else's: both look the same.
create function serving.give_feedback(
    subject_id uuid, user_name text, rating text, comment text
) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    with asked as (
        select q.kind from serving.query_log as q where q.query_id = $1 and q.user_name = $2
    ),

    given as (
        insert into serving.feedback as f (subject_id, user_name, subject, rating, comment)
        select $1, $2, case a.kind when 'search' then 'query' else 'answer' end, $3, $4
        from asked as a
        on conflict on constraint feedback_pkey
        do update set rating = excluded.rating, comment = excluded.comment, given_at = now()
        returning 1
    )

    select exists (select from given)
$$;

-- Erases what was asked in a conversation, and what was said of the answers. Answers have their
-- table from the next migration on, so this is compiled when it is called.
create function serving.forget_queries(conversation uuid, caller text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    update serving.query_log as q
    set query = '', filters = '{}'
    from serving.answer as a
    where
        a.conversation_id = conversation
        and a.user_name = caller
        and q.query_id = a.answer_id
        and q.user_name = caller;
    delete from serving.feedback as f
    using serving.answer as a
    where
        a.conversation_id = conversation
        and a.user_name = caller
        and f.subject_id = a.answer_id
        and f.user_name = caller;
end
$$;

-- Recall@amount of the dense leg under the caller's own groups: what the search finds, as a share
-- of what looking at every passage finds. Null where there is nothing to find.
create function serving.filtered_recall(
    model text, query halfvec, amount integer, filters jsonb, caller text[]
) returns real
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    table_name constant text := corpus.active_vectors(model);
    wanted uuid[];
    found uuid[];
begin
    if table_name is null then
        return null;
    end if;
    select array_agg(n.chunk_id) into wanted from corpus.nearest_exactly(
        table_name, query, amount, corpus.row_conditions(filters), filters, corpus.caller_groups()
    ) as n;
    select array_agg(s.chunk_id) into found
    from corpus.search_dense(model, query, amount, filters) as s;
    return (select avg((w = any (coalesce(found, '{}')))::integer)::real from unnest(wanted) as w);
end
$$;

create function serving.record_recall(query_id uuid, recall real) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    update serving.query_log as q set recall = $2 where q.query_id = $1
$$;

-- Removes what has expired, at most some thousand rows a call so that no call takes long.
create function serving.sweep(keep_days integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    oldest constant timestamptz := now() - make_interval(days => greatest(keep_days, 1));
    removed integer := 0;
    here integer;
begin
    delete from serving.session where expires_at <= now();
    get diagnostics here = row_count;
    removed := removed + here;
    delete from serving.one_time_code where expires_at <= now();
    get diagnostics here = row_count;
    removed := removed + here;
    delete from serving.query_log where query_id in (
        select q.query_id from serving.query_log as q where q.asked_at < oldest limit 5000
    );
    get diagnostics here = row_count;
    removed := removed + here;
    delete from serving.feedback where given_at < oldest;
    get diagnostics here = row_count;
    return removed + here;
end
$$;

revoke all on all functions in schema serving from public;
grant execute on function
serving.open_session, serving.read_session, serving.close_session, serving.redeem_code,
serving.log_queries, serving.give_feedback, serving.forget_queries, serving.filtered_recall,
serving.record_recall, serving.sweep
to tidemark_serving;
