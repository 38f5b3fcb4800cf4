-- Search for the real-time side: one statement a call, facets, neighbours, whole documents, and a
-- number that tells caches when what may be found has changed.

-- Functions below take the caller's groups with the call, so that it costs one round trip. It is
-- the setting that `set_config` makes, with the same reach: the serving role may claim groups, and
-- for anybody else the claim says nothing. Null leaves what the transaction has set. It is called
-- in declarations, which are evaluated in their order, before what reads the groups.
create function corpus.act_for(caller text[]) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    if caller is not null then
        perform set_config('tidemark.groups', to_jsonb(caller)::text, true);
    end if;
    return true;
end
$$;

-- Vector tables of new models: a graph built with more care finds nearly all of the nearest, also
-- under filters.
create or replace function corpus.register_embedding_model(
    new_model_id text, new_identity jsonb, new_dimension integer
) returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
    new_table text := 'embedding_' || left(md5(new_model_id), 12);
begin
    if not corpus.caller_sees_all() or session_user = 'tidemark_operator' then
        raise exception 'only the pipeline may register an embedding model';
    end if;
    perform pg_advisory_xact_lock(hashtext('tidemark embedding model'));
    if exists (select from corpus.embedding_model where model_id = new_model_id) then
        return new_table;
    end if;
    if exists (select from corpus.embedding_model where active) then
        raise exception 'another embedding model is active'
            using hint = 'The corpus is embedded with one model at a time.';
    end if;
    execute format(
        'create table corpus.%I (
            chunk_id uuid primary key references corpus.chunk (chunk_id) on delete cascade,
            input_hash text not null,
            embedding halfvec(%s) not null
        )', new_table, new_dimension
    );
    execute format(
        'create index %I on corpus.%I using hnsw (embedding halfvec_cosine_ops)
        with (m = 16, ef_construction = 128)', new_table || '_hnsw', new_table
    );
    execute format(
        'grant select, insert, update, delete on corpus.%I to tidemark_pipeline', new_table
    );
    execute format('grant select on corpus.%I to tidemark_operator', new_table);
    insert into corpus.embedding_model (model_id, identity, dimension, table_name, active)
    values (new_model_id, new_identity, new_dimension, new_table, true);
    return new_table;
end
$$;

-- The share of passages that meet the conditions. Ids are hashes, so the lowest ones are a fair
-- sample, and always the same pages. A few tell a large share, and it takes more to tell a small.
create or replace function corpus.matching_share(conditions text, filters jsonb, groups text[])
returns real
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
    share real;
    size integer;
begin
    if conditions = 'd.status = ''current''' then
        return 1;
    end if;
    foreach size in array array[30, 300] loop
        execute format(
            'select count(v.doc_id)::real / greatest(count(*), 1)
            from (select * from corpus.chunk order by chunk_id limit $3) as c
            left join lateral (
                select d.doc_id from corpus.document as d where d.doc_id = c.doc_id and %s offset 0
            ) as v on true', conditions
        ) into share using filters, groups, size;
        exit when share >= 0.4;
    end loop;
    return share;
end
$$;

-- A query as a vector of idf times frequency; null where it has no term that the corpus has. Its
-- inner product with the impacts of a passage is the BM25 score.
create function corpus.query_vector(terms integer[], frequencies integer[]) returns sparsevec
language plpgsql stable set search_path = pg_catalog, public, pg_temp
as $$
begin
    return (
        select ('{' || string_agg(w.term || ':' || w.weight, ',') || '}/1000000000')::sparsevec
        from corpus.query_weights(terms, frequencies) as w
    );
end
$$;

-- The nearest passages by the vector index. Short questions lie apart from passages, so that it
-- takes more candidates than are wanted to find the nearest; `bench query` measures how many of
-- them are found. Sorts and sequential scans are off so that the planner takes the index whatever
-- it thinks of the filter.
drop function corpus.nearest_by_index(text, halfvec, integer, real, text, jsonb, text[]);
create function corpus.nearest_by_index(
    table_name text, query halfvec, amount integer, share real,
    conditions text, filters jsonb, groups text[]
)
returns table (chunk_id uuid, doc_id uuid, score real, modified_at timestamptz)
language plpgsql stable set search_path = pg_catalog, public, pg_temp
set jit = off set enable_sort = off set enable_seqscan = off
as $$
begin
    perform
        set_config('hnsw.iterative_scan', 'relaxed_order', true),
        set_config(
            'hnsw.ef_search',
            least(
                1000, greatest(case when share < 1 then 600 else 200 end, ceil(amount / share))
            )::integer::text, true
        );
    return query execute format(
        'with nearest as materialized (
            select v.chunk_id, v.doc_id, v.modified_at, e.embedding <=> $3 as distance
            from corpus.%I as e
            cross join lateral (
                select c.chunk_id, c.doc_id, d.modified_at
                from corpus.chunk as c
                inner join corpus.document as d on c.doc_id = d.doc_id
                where c.chunk_id = e.chunk_id and %s
                offset 0
            ) as v
            order by e.embedding <=> $3
            limit $4
        )
        select chunk_id, doc_id, (1 - distance)::real, modified_at
        from nearest
        order by distance, chunk_id', table_name, conditions
    ) using filters, groups, query, amount;
end
$$;

-- The nearest passages by looking at each that the filter leaves. Rows are fetched one by one by
-- their key: how few they are is known here, and not to the planner.
drop function corpus.nearest_exactly(text, halfvec, integer, text, jsonb, text[]);
create function corpus.nearest_exactly(
    table_name text, query halfvec, amount integer, conditions text, filters jsonb, groups text[]
)
returns table (chunk_id uuid, doc_id uuid, score real, modified_at timestamptz)
language plpgsql stable set search_path = pg_catalog, public, pg_temp set jit = off
as $$
begin
    return query execute format(
        'select c.chunk_id, c.doc_id, (1 - v.distance)::real, d.modified_at
        from corpus.document as d
        inner join corpus.chunk as c on d.doc_id = c.doc_id
        cross join lateral (
            select e.embedding <=> $3 as distance
            from corpus.%I as e
            where e.chunk_id = c.chunk_id
            offset 0
        ) as v
        where %s
        order by v.distance, c.chunk_id
        limit $4', table_name, conditions
    ) using filters, groups, query, amount;
end
$$;

drop function corpus.search_dense(text, halfvec, integer, jsonb);
create function corpus.search_dense(
    model text, query halfvec, amount integer, filters jsonb default '[]',
    caller text[] default null, terms integer[] default '{}', frequencies integer[] default '{}'
)
returns table (chunk_id uuid, doc_id uuid, score real, modified_at timestamptz, lexical real)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    table_name constant text := corpus.active_vectors(model);
    groups constant text[] := corpus.caller_groups();
    conditions constant text := corpus.row_conditions(filters);
    weights constant sparsevec := corpus.query_vector(terms, frequencies);
    total bigint;
    share real;
begin
    if table_name is null then
        return;
    end if;
    select l.passages into total from corpus.lexical_total as l;
    if total > 5000 then
        share := corpus.matching_share(conditions, filters, groups);
    end if;
    -- Below a few percent iterative index scans lose recall and take longer than exact ones.
    return query
    select
        n.chunk_id,
        n.doc_id,
        n.score,
        n.modified_at,
        coalesce(
            (
                select -(l.impacts <#> weights)
                from corpus.chunk_lexical as l
                where weights is not null and l.chunk_id = n.chunk_id
            ), 0
        )::real
    from (
        select * from corpus.nearest_by_index(
            table_name, query, amount, share, conditions, filters, groups
        )
        where share >= 0.05
        union all
        select * from corpus.nearest_exactly(
            table_name, query, amount, conditions, filters, groups
        )
        where coalesce(share, 0) < 0.05
    ) as n
    order by n.score desc, n.chunk_id;
end
$$;
comment on function corpus.search_dense is
'Nearest visible passages by cosine (score), with their BM25 score for terms where they are given;
filters as include.query.filters writes them.';

-- The least combinations of terms whose bounds sum up to a threshold: a passage that holds none of
-- them whole cannot reach it. The eight terms of the highest bounds are combined, the others taken
-- for granted. Null where those alone would reach the threshold.
create function corpus.term_combinations(terms integer[], bounds float8[], at_least float8)
returns text[]
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    with item as (
        select i.term, i.bound, row_number() over (order by i.bound desc, i.term)::integer as place
        from unnest(terms, bounds) as i (term, bound)
    ),

    needed as (
        select at_least - coalesce(sum(i.bound) filter (where i.place > 8), 0) as sum from item as i
    ),

    combined as (
        select array_agg(i.term)::text as terms
        from generate_series(1, (1 << least(cardinality(terms), 8)) - 1) as mask
        inner join item as i on i.place <= 8 and mask & (1 << (i.place - 1)) <> 0
        cross join needed as n
        group by mask, n.sum
        having sum(i.bound) >= n.sum and sum(i.bound) - min(i.bound) < n.sum
    )

    select case when n.sum > 0 then array(select c.terms from combined as c) end from needed as n
$$;

-- Visible passages that meet a condition on their terms, best first. Scores are sums of idf times
-- impact: BM25. Without sequential scans, so that the planner takes the term index.
drop function corpus.score_terms(
    integer[], integer[], sparsevec, float8, integer, text, jsonb, text[]
);
create function corpus.score_terms(
    lookup text, query sparsevec, at_least float8, amount integer,
    conditions text, filters jsonb, groups text[]
)
returns table (chunk_id uuid, doc_id uuid, score float8, modified_at timestamptz)
language plpgsql stable set search_path = pg_catalog, public, pg_temp
set jit = off set enable_seqscan = off set work_mem = '32MB'
as $$
begin
    return query execute format(
        'with scored as materialized (
            select l.chunk_id, -(l.impacts <#> $3) as score
            from corpus.chunk_lexical as l
            where %s
        )
        select s.chunk_id, v.doc_id, s.score, v.modified_at
        from (
            select * from scored where score >= $4 order by score desc, chunk_id
        ) as s
        cross join lateral (
            select c.doc_id, d.modified_at
            from corpus.chunk as c
            inner join corpus.document as d on c.doc_id = d.doc_id
            where c.chunk_id = s.chunk_id and %s
            offset 0
        ) as v
        limit $5', lookup, conditions
    ) using filters, groups, query, at_least, amount;
end
$$;

-- The same through the filter, for filters that leave little.
drop function corpus.score_filtered(sparsevec, integer, text, jsonb, text[]);
create function corpus.score_filtered(
    query sparsevec, amount integer, conditions text, filters jsonb, groups text[]
)
returns table (chunk_id uuid, doc_id uuid, score float8, modified_at timestamptz)
language plpgsql stable set search_path = pg_catalog, public, pg_temp set jit = off
as $$
begin
    return query execute format(
        'select c.chunk_id, c.doc_id, v.score, d.modified_at
        from corpus.document as d
        inner join corpus.chunk as c on d.doc_id = c.doc_id
        cross join lateral (
            select -(l.impacts <#> $3) as score
            from corpus.chunk_lexical as l
            where l.chunk_id = c.chunk_id
            offset 0
        ) as v
        where v.score > 0 and %s
        order by v.score desc, c.chunk_id
        limit $4', conditions
    ) using filters, groups, query, amount;
end
$$;

-- BM25, exact in steps. First whatever holds one of the rarest terms, until enough is found: the
-- last score is a threshold. Then what the other terms could lift above it, if anything: passages
-- that hold enough of them at once (after Turtle and Flood, Query Evaluation: Strategies and
-- Optimizations, 1995). Terms are integers, so they stand in the text of a condition as they are.
-- A step may find again what one before it found: telling them apart afterwards is cheaper than
-- looking into the terms of every passage.
drop function corpus.search_lexical(integer[], integer[], integer, jsonb);
create function corpus.search_lexical(
    terms integer[], frequencies integer[], amount integer, filters jsonb default '[]',
    caller text[] default null
)
returns table (chunk_id uuid, doc_id uuid, score real, modified_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    groups constant text[] := corpus.caller_groups();
    conditions constant text := corpus.row_conditions(filters);
    share constant real := corpus.matching_share(conditions, filters, groups);
    -- The terms from the rarest on, the highest weight of each, and how many passages hold one up
    -- to it.
    known integer[];
    bounds float8[];
    holders bigint[];
    query sparsevec;
    -- Passages that are likely to hold enough visible ones.
    reach float8 := 2 * amount / greatest(share, 0.05);
    taken integer := 0;
    first integer;
    lookup text;
    combinations text[];
    chunks uuid[] := '{}';
    documents uuid[] := '{}';
    scores float8[] := '{}';
    times timestamptz[] := '{}';
    -- A little below the last score, because distances are summed in single precision.
    threshold float8;
begin
    select
        array_agg(w.term order by w.documents, w.term),
        array_agg(w.bound order by w.documents, w.term),
        array_agg(w.holders order by w.documents, w.term),
        ('{' || string_agg(w.term || ':' || w.weight, ',') || '}/1000000000')::sparsevec
    into known, bounds, holders, query
    from (
        select q.*, sum(q.documents) over (order by q.documents, q.term) as holders
        from corpus.query_weights(terms, frequencies) as q
    ) as w;
    if query is null then
        return;
    end if;
    if share < 0.05 then
        return query
        select f.chunk_id, f.doc_id, f.score::real, f.modified_at
        from corpus.score_filtered(query, amount, conditions, filters, groups) as f;
        return;
    end if;
    loop
        if threshold is null then
            first := taken + 1;
            loop
                taken := taken + 1;
                exit when taken = cardinality(known) or holders[taken] >= reach;
            end loop;
            reach := reach * 8;
            lookup := format('l.terms && %L::integer[]', known[first:taken]);
        else
            combinations := corpus.term_combinations(
                known[taken + 1:], bounds[taken + 1:], threshold
            );
            exit when combinations = '{}';
            lookup := coalesce(
                (
                    select string_agg(format('l.terms @> %L::integer[]', c.terms), ' or ')
                    from unnest(combinations) as c (terms)
                ), format('l.terms && %L::integer[]', known[taken + 1:])
            );
            taken := cardinality(known);
        end if;
        select
            chunks || coalesce(array_agg(s.chunk_id), '{}'),
            documents || coalesce(array_agg(s.doc_id), '{}'),
            scores || coalesce(array_agg(s.score), '{}'),
            times || coalesce(array_agg(s.modified_at), '{}')
        into chunks, documents, scores, times
        from corpus.score_terms(
            lookup, query, coalesce(threshold, 0), amount, conditions, filters, groups
        ) as s;
        exit when taken = cardinality(known);
        select f.score * 0.9999 into threshold
        from (
            select distinct on (u.chunk) u.score from unnest(chunks, scores) as u (chunk, score)
        ) as f
        order by f.score desc
        offset amount - 1 limit 1;
    end loop;
    return query
    select f.chunk_id, f.doc_id, f.score::real, f.modified_at
    from (
        select distinct on (u.chunk_id) u.*
        from unnest(chunks, documents, scores, times) as u (chunk_id, doc_id, score, modified_at)
    ) as f
    order by f.score desc, f.chunk_id
    limit amount;
end
$$;
comment on function corpus.search_lexical is
'Best visible passages by BM25 (score); terms and frequencies as include.lexical makes them.';

-- What the lexical leg does not know of its passages: their cosine, and how many of the query's
-- entities their documents mention. Goes by the lists of the passages, which are their documents'.
drop function corpus.score_passages(uuid[], text, halfvec, integer[], integer[]);
create function corpus.score_passages(
    chunks uuid[], model text, query halfvec, entities uuid[] default '{}',
    caller text[] default null
)
returns table (chunk_id uuid, dense real, entities_shared bigint)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    table_name constant text := case when query is not null then corpus.active_vectors(model) end;
    groups constant text[] := corpus.caller_groups();
begin
    return query execute format(
        'select c.chunk_id, %s, %s
        from unnest($1) as wanted (chunk_id)
        cross join lateral (
            select p.chunk_id, p.doc_id
            from corpus.chunk as p
            where p.chunk_id = wanted.chunk_id and %s
            offset 0
        ) as c',
        case when table_name is null then 'null::real' else format(
            '(
                select (1 - (e.embedding <=> $2))::real
                from corpus.%I as e
                where e.chunk_id = c.chunk_id
            )', table_name
        ) end,
        case when entities = '{}' then '0::bigint' else
            '(
                select count(distinct m.entity_id)
                from corpus.mention as m
                where m.doc_id = c.doc_id and m.entity_id = any ($3)
            )'
        end,
        case when corpus.caller_sees_all() then 'true' else
            '(p.acl = ''{}'' or p.acl && $4)'
        end
    ) using chunks, query, entities, groups;
end
$$;

-- Passages with what is shown of their documents, in no order.
drop function corpus.passages(uuid[]);
create function corpus.passages(chunks uuid[], caller text[] default null)
returns table (
    chunk_id uuid, doc_id uuid, ordinal integer, start_char integer, end_char integer,
    page integer, heading_path text[], text text, flags text[], flag_spans jsonb,
    source text, uri text, title text, language text, type text, metadata jsonb,
    modified_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    everything constant boolean := corpus.caller_sees_all();
    groups constant text[] := corpus.caller_groups();
begin
    return query
    select
        c.chunk_id, c.doc_id, c.ordinal, c.start_char, c.end_char, c.page, c.heading_path, c.text,
        c.flags, c.flag_spans, d.source, d.uri, d.title, d.language, d.type, d.metadata,
        d.modified_at
    from corpus.chunk as c
    inner join corpus.document_current as d on c.doc_id = d.doc_id
    where c.chunk_id = any (chunks) and (everything or d.acl = '{}' or d.acl && groups);
end
$$;

-- Passages beside given ones in their documents, in reading order.
create function corpus.passages_nearby(
    chunks uuid[], distance integer, caller text[] default null
)
returns table (
    beside uuid, chunk_id uuid, ordinal integer, start_char integer, end_char integer, text text,
    flag_spans jsonb
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    everything constant boolean := corpus.caller_sees_all();
    groups constant text[] := corpus.caller_groups();
begin
    return query
    select c.chunk_id, n.chunk_id, n.ordinal, n.start_char, n.end_char, n.text, n.flag_spans
    from corpus.chunk as c
    inner join corpus.document as d on c.doc_id = d.doc_id
    inner join corpus.chunk as n
        on c.doc_id = n.doc_id
        and n.ordinal between c.ordinal - distance and c.ordinal + distance
        and n.ordinal <> c.ordinal
    where
        c.chunk_id = any (chunks)
        and d.status = 'current'
        and (everything or d.acl = '{}' or d.acl && groups)
    order by c.chunk_id, n.ordinal;
end
$$;

-- The most frequent values of each facet over those of the documents that the caller may see.
create function corpus.facets(among uuid[], most integer, caller text[] default null)
returns table (field text, value text, documents bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    everything constant boolean := corpus.caller_sees_all();
    groups constant text[] := corpus.caller_groups();
begin
    return query
    with visible as materialized (
        select d.doc_id, d.source, d.type, d.language, d.modified_at, d.metadata
        from corpus.document as d
        where
            d.doc_id = any (among)
            and d.status = 'current'
            and (everything or d.acl = '{}' or d.acl && groups)
    ),

    attributes as (
        select a.field, a.value, count(*) as documents
        from visible as d
        cross join lateral (
            values
            ('source', d.source),
            ('type', d.type),
            ('language', d.language),
            (
                'date',
                coalesce(
                    substring(d.metadata ->> 'date' from '^[0-9]{4}(?![0-9])'),
                    to_char(d.modified_at at time zone 'UTC', 'YYYY')
                )
            )
        ) as a (field, value)
        group by a.field, a.value
        union all
        select 'entity', min(n.name), count(distinct m.doc_id)
        from visible as d
        inner join corpus.mention as m on d.doc_id = m.doc_id
        inner join corpus.entity as n on m.entity_id = n.entity_id
        group by lower(n.name)
    ),

    ranked as (
        select
            a.*,
            row_number() over (partition by a.field order by a.documents desc, a.value) as place
        from attributes as a
    )

    select r.field, r.value, r.documents
    from ranked as r
    where r.place <= most
    order by r.field, r.place;
end
$$;

-- A current document with all that is shown of it; no row where it is not there or not for the
-- caller, which takes the same look-up either way.
create function corpus.document_of(document uuid, caller text[] default null)
returns table (
    doc_id uuid, source text, uri text, title text, language text, type text, text text,
    metadata jsonb, modified_at timestamptz, passages jsonb, mentions jsonb, duplicates jsonb
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    everything constant boolean := corpus.caller_sees_all();
    groups constant text[] := corpus.caller_groups();
begin
    return query
    select
        d.doc_id, d.source, d.uri, d.title, d.language, d.type, d.text, d.metadata, d.modified_at,
        (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'chunk_id', c.chunk_id, 'ordinal', c.ordinal, 'start_char', c.start_char,
                        'end_char', c.end_char, 'page', c.page, 'heading_path', c.heading_path,
                        'flags', c.flags, 'flag_spans', c.flag_spans
                    ) order by c.ordinal
                ), '[]'
            )
            from corpus.chunk as c
            where c.doc_id = d.doc_id
        ),
        (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'start_char', m.start_char, 'end_char', m.end_char, 'text', m.text,
                        'label', m.label, 'entity_id', m.entity_id
                    ) order by m.start_char, m.end_char
                ), '[]'
            )
            from corpus.mention as m
            where m.doc_id = d.doc_id
        ),
        (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'doc_id', o.doc_id, 'source', o.source, 'uri', o.uri,
                        'similarity', n.similarity
                    ) order by o.source, o.uri
                ), '[]'
            )
            from corpus.near_duplicate as n
            inner join corpus.document as o on n.doc_id = o.doc_id
            where
                n.canonical_doc_id = d.doc_id
                and o.status = 'duplicate'
                and (everything or o.acl = '{}' or o.acl && groups)
        )
    from corpus.document_current as d
    where d.doc_id = document and (everything or d.acl = '{}' or d.acl && groups);
end
$$;

-- Entities of these names, in any case, that a current document visible to the caller mentions.
create function corpus.caller_entities(names text[], caller text[] default null)
returns table (entity_id uuid, label text, name text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    acting constant boolean := corpus.act_for(caller);
    everything constant boolean := corpus.caller_sees_all();
    groups constant text[] := corpus.caller_groups();
begin
    return query
    select e.entity_id, e.label, e.name
    from corpus.entity as e
    where
        lower(e.name) = any (array(select lower(n) from unnest(names) as n))
        and exists (
            select
            from corpus.mention as m
            inner join corpus.document as d on m.doc_id = d.doc_id
            where
                m.entity_id = e.entity_id
                and d.status = 'current'
                and (everything or d.acl = '{}' or d.acl && groups)
        );
end
$$;

-- The number that caches go by. It moves with the commit: a statement that changes what may be
-- found leaves a note of its transaction, and the note moves the number when the transaction
-- commits, so that a number read says that everything up to it is seen, and writers wait for each
-- other no longer than a commit takes.
create table corpus.search_number (
    only_row boolean primary key default true check (only_row),
    number bigint not null
);
insert into corpus.search_number (number) values (1);
create table corpus.search_change (transaction xid8 primary key);

create function corpus.note_search_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    -- Not one condition: it would be planned as a whole, and there may be no such table.
    if tg_nargs = 0 then
        if not exists (select from changed) then
            return null;
        end if;
    end if;
    insert into corpus.search_change (transaction) values (pg_current_xact_id())
    on conflict do nothing;
    return null;
end
$$;

create function corpus.move_search_number() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    delete from corpus.search_change where transaction = new.transaction;
    update corpus.search_number set number = number + 1;
    return null;
end
$$;

create constraint trigger move_search_number after insert on corpus.search_change
deferrable initially deferred
for each row execute function corpus.move_search_number();

create trigger note_inserted after insert on corpus.document referencing new table as changed
for each statement execute function corpus.note_search_change();
create trigger note_updated after update on corpus.document referencing new table as changed
for each statement execute function corpus.note_search_change();
create trigger note_deleted after delete on corpus.document referencing old table as changed
for each statement execute function corpus.note_search_change();
create trigger note_inserted after insert on corpus.chunk referencing new table as changed
for each statement execute function corpus.note_search_change();
create trigger note_updated after update on corpus.chunk referencing new table as changed
for each statement execute function corpus.note_search_change();
create trigger note_deleted after delete on corpus.chunk referencing old table as changed
for each statement execute function corpus.note_search_change();
create trigger note_average after update of average_length on corpus.lexical_total
for each statement execute function corpus.note_search_change('always');

create function corpus.search_version() returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select number from corpus.search_number $$;
comment on function corpus.search_version is
'Changes whenever what may be found changes; says nothing of what.';

revoke all on corpus.search_number, corpus.search_change from tidemark_pipeline;
revoke all on all functions in schema corpus from public;
grant execute on function
corpus.search_dense, corpus.search_lexical, corpus.score_passages, corpus.passages,
corpus.passages_nearby, corpus.facets, corpus.document_of, corpus.caller_entities,
corpus.search_version
to tidemark_serving, tidemark_operator, tidemark_pipeline;
