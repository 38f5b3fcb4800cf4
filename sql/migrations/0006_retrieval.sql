-- Retrieval: a few vetted functions that apply the access rule inside, because row-level security
-- on the paths below turns index look-ups into sequential scans. They run as the owner, tell
-- callers apart by session_user, and return nothing that the caller may not see. Filter values are
-- always bound; what is put together here is text written here.
create index document_acl on corpus.document using gin (acl);
create index document_type on corpus.document (type);
create index document_language on corpus.document (language);
create index document_modified on corpus.document (modified_at);
create index chunk_flagged on corpus.chunk using gin (flags) where flags <> '{}';
create index entity_name on corpus.entity (lower(name));

create function corpus.json_texts(list jsonb) returns text[]
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(value), '{}') from jsonb_array_elements_text(list) as item (value)
$$;

-- One filter as a condition over d (document) and c (passage). `item` is the expression of the
-- filter itself, `$1 -> 0` and so on, so that its values stay parameters.
create function corpus.filter_condition(filter jsonb, item text) returns text
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
declare
    field constant text := case when filter @> '{"metadata": true}' then '' else filter ->> 'field' end;
    op constant text := filter ->> 'op';
    of_metadata constant text := format('d.metadata -> (%s ->> ''field'')', item);
    stated constant text := '(d.metadata ->> ''date'')';
    list constant text := format('corpus.json_texts(%s -> ''values'')', item);
    value text;
    parts text[] := '{}';
begin
    if op is null or op not in ('any', 'not', 'gte', 'lte') then
        raise exception 'unknown filter operator' using errcode = 'invalid_parameter_value';
    end if;
    if op in ('any', 'not') and field in ('source', 'language', 'type', 'uri', 'title') then
        parts := parts || format('d.%I = any (%s)', field, list);
    elsif op in ('any', 'not') and field = 'doc_id' then
        parts := parts || format('d.doc_id = any (%s::uuid[])', list);
    elsif op in ('any', 'not') and field = 'flags' then
        parts := parts || format('c.flags <> ''{}'' and c.flags && %s', list);
    elsif op in ('any', 'not') and field = 'entity' then
        parts := parts || format(
            'd.doc_id in (
                select m.doc_id
                from corpus.mention as m
                inner join corpus.entity as n on m.entity_id = n.entity_id
                where lower(n.name) = any (array(select lower(name) from unnest(%s) as name))
            )', list
        );
    end if;
    for j in 0 .. jsonb_array_length(filter -> 'values') - 1 loop
        value := format('%s -> ''values'' -> %s', item, j);
        if field in ('modified_at', 'date') then
            -- Dates are half-open spans; a bound has one end of it.
            parts := parts || concat_ws(
                ' and ',
                case when filter -> 'values' -> j ? 'from' then format(
                    'd.modified_at >= (%s ->> ''from'')::timestamptz', value
                ) end,
                case when filter -> 'values' -> j ? 'to' then format(
                    'd.modified_at < (%s ->> ''to'')::timestamptz', value
                ) end
            );
            -- A record's own date is what its reader means, whenever the record was changed.
            if field = 'date' then
                parts[cardinality(parts)] := format(
                    'case when d.metadata ? ''date'' then %s else %s end',
                    concat_ws(
                        ' and ',
                        case when filter -> 'values' -> j ? 'from' then format(
                            '%s collate "C" >= %s ->> ''from_text''', stated, value
                        ) end,
                        case when filter -> 'values' -> j ? 'to' then format(
                            '%s collate "C" < %s ->> ''to_text''', stated, value
                        ) end
                    ),
                    parts[cardinality(parts)]
                );
            end if;
        elsif op in ('any', 'not') then
            parts := parts || array[
                format('d.metadata @> jsonb_build_object(%s ->> ''field'', %s)', item, value),
                format(
                    'd.metadata @> jsonb_build_object(%s ->> ''field'', jsonb_build_array(%s))',
                    item, value
                )
            ];
            if field = 'topic' then
                parts := parts || format(
                    'd.metadata @> jsonb_build_object(''topics'', jsonb_build_array(%s))', value
                );
            end if;
        else
            parts := parts || format(
                'jsonb_path_exists(%s, ''$[*] ? (@ %s $v)'', jsonb_build_object(''v'', %s), true)',
                of_metadata, case op when 'gte' then '>=' else '<=' end, value
            );
        end if;
    end loop;
    if parts = '{}' then
        return 'false';
    end if;
    return '((' || array_to_string(parts, ') or (') || '))'
        || case op when 'not' then ' is not true' else '' end;
end
$$;

-- What a row must meet for this caller: current, visible ($2: the caller's groups), filtered ($1).
create function corpus.row_conditions(filters jsonb) returns text
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp
as $$
declare
    conditions text := 'd.status = ''current''';
begin
    if not corpus.caller_sees_all() then
        conditions := conditions || ' and (d.acl = ''{}'' or d.acl && $2)';
    end if;
    for i in 0 .. jsonb_array_length(filters) - 1 loop
        conditions := conditions || ' and '
            || corpus.filter_condition(filters -> i, format('($1 -> %s)', i));
    end loop;
    return conditions;
end
$$;

-- The share of passages that meet the conditions. Ids are hashes, so the lowest ones are a fair
-- sample, and always the same pages.
create function corpus.matching_share(conditions text, filters jsonb, groups text[]) returns real
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    share real;
begin
    if conditions = 'd.status = ''current''' then
        return 1;
    end if;
    execute format(
        'select count(v.doc_id)::real / greatest(count(*), 1)
        from (select * from corpus.chunk order by chunk_id limit 500) as c
        left join lateral (
            select d.doc_id from corpus.document as d where d.doc_id = c.doc_id and %s offset 0
        ) as v on true', conditions
    ) into share using filters, groups;
    return share;
end
$$;

-- The nearest passages by the vector index. Sorts and sequential scans are off so that the planner
-- takes the index whatever it thinks of the filter.
create function corpus.nearest_by_index(
    table_name text, query halfvec, amount integer, share real,
    conditions text, filters jsonb, groups text[]
)
returns table (chunk_id uuid, doc_id uuid, score real)
language plpgsql stable set search_path = pg_catalog, public, pg_temp
set jit = off set enable_sort = off set enable_seqscan = off
as $$
begin
    perform
        set_config('hnsw.iterative_scan', 'relaxed_order', true),
        set_config(
            'hnsw.ef_search',
            least(1000, greatest(200, ceil(amount / share)))::integer::text, true
        );
    return query execute format(
        'with nearest as materialized (
            select v.chunk_id, v.doc_id, e.embedding <=> $3 as distance
            from corpus.%I as e
            cross join lateral (
                select c.chunk_id, c.doc_id
                from corpus.chunk as c
                inner join corpus.document as d on c.doc_id = d.doc_id
                where c.chunk_id = e.chunk_id and %s
                offset 0
            ) as v
            order by e.embedding <=> $3
            limit $4
        )
        select chunk_id, doc_id, (1 - distance)::real
        from nearest
        order by distance, chunk_id', table_name, conditions
    ) using filters, groups, query, amount;
end
$$;

-- The nearest passages by looking at each that the filter leaves. Rows are fetched one by one by
-- their key: how few they are is known here, and not to the planner.
create function corpus.nearest_exactly(
    table_name text, query halfvec, amount integer, conditions text, filters jsonb, groups text[]
)
returns table (chunk_id uuid, doc_id uuid, score real)
language plpgsql stable set search_path = pg_catalog, public, pg_temp set jit = off
as $$
begin
    return query execute format(
        'select c.chunk_id, c.doc_id, (1 - v.distance)::real
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

-- Vectors of the active model, refused where the caller embeds with another one. Null as long as
-- nothing was embedded.
create function corpus.active_vectors(model text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
    active record;
begin
    select m.model_id, m.table_name into active from corpus.embedding_model as m where m.active;
    if active.model_id <> model then
        raise exception 'the corpus is embedded with another model: %', active.model_id
            using errcode = 'TM001';
    end if;
    return active.table_name;
end
$$;

create function corpus.search_dense(
    model text, query halfvec, amount integer, filters jsonb default '[]'
)
returns table (chunk_id uuid, doc_id uuid, score real)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
    table_name constant text := corpus.active_vectors(model);
    groups constant text[] := corpus.caller_groups();
    conditions constant text := corpus.row_conditions(filters);
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
    if share >= 0.05 then
        return query select * from corpus.nearest_by_index(
            table_name, query, amount, share, conditions, filters, groups
        );
    else
        return query select * from corpus.nearest_exactly(
            table_name, query, amount, conditions, filters, groups
        );
    end if;
end
$$;
comment on function corpus.search_dense is
'Nearest visible passages by cosine (score); `filters` as include.query.filters writes them.';

-- Weights of a query's terms: idf times frequency in the query. Frequencies count every passage,
-- also those that the caller may not see, so a score tells how rare a term is in all the corpus.
-- Without a search path of its own it is merged into its callers, who have one.
create function corpus.query_weights(terms integer[], frequencies integer[])
returns table (term integer, weight float8, documents bigint, bound float8)
language sql stable rows 10
as $$
    select x.term, x.weight, x.documents, x.weight * x.max_impact
    from (
        select
            t.term,
            t.documents::bigint as documents,
            t.max_impact::float8 as max_impact,
            q.frequency * ln(
                1 + (l.passages - t.documents + 0.5::float8) / (t.documents + 0.5::float8)
            ) as weight
        from unnest(terms, frequencies) as q (term, frequency)
        inner join corpus.term as t on q.term = t.term
        cross join corpus.lexical_total as l
    ) as x
$$;

-- Visible passages that hold a term of `wanted` and none of `done`, best first. Scores are sums of
-- idf times impact: BM25. Without sequential scans, so that the planner takes the term index.
create function corpus.score_terms(
    wanted integer[], done integer[], query sparsevec, at_least float8, amount integer,
    conditions text, filters jsonb, groups text[]
)
returns table (chunk_id uuid, doc_id uuid, score float8)
language plpgsql stable set search_path = pg_catalog, public, pg_temp
set jit = off set enable_seqscan = off set work_mem = '32MB'
as $$
begin
    return query execute format(
        'with scored as materialized (
            select l.chunk_id, -(l.impacts <#> $3) as score
            from corpus.chunk_lexical as l
            where l.terms && $4 %s
        )
        select s.chunk_id, v.doc_id, s.score
        from (
            select * from scored where score >= $6 order by score desc, chunk_id
        ) as s
        cross join lateral (
            select c.doc_id
            from corpus.chunk as c
            inner join corpus.document as d on c.doc_id = d.doc_id
            where c.chunk_id = s.chunk_id and %s
            offset 0
        ) as v
        limit $7',
        case when done = '{}' then '' else 'and not (l.terms && $5)' end, conditions
    ) using filters, groups, query, wanted, done, at_least, amount;
end
$$;

-- The same through the filter, for filters that leave little.
create function corpus.score_filtered(
    query sparsevec, amount integer, conditions text, filters jsonb, groups text[]
)
returns table (chunk_id uuid, doc_id uuid, score float8)
language plpgsql stable set search_path = pg_catalog, public, pg_temp set jit = off
as $$
begin
    return query execute format(
        'select c.chunk_id, c.doc_id, v.score
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

-- BM25, exact in two steps. First whatever holds one of the rarest terms: its last score is a
-- threshold. Then what the other terms could lift above it, if anything; terms whose bounds sum up
-- to less need no look (Turtle and Flood, Query Evaluation: Strategies and Optimizations, 1995).
create function corpus.search_lexical(
    terms integer[], frequencies integer[], amount integer, filters jsonb default '[]'
)
returns table (chunk_id uuid, doc_id uuid, score real)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
    groups constant text[] := corpus.caller_groups();
    conditions constant text := corpus.row_conditions(filters);
    wanted integer[];
    rare integer[];
    others integer[];
    query sparsevec;
    chunks uuid[];
    documents uuid[];
    scores float8[];
    threshold float8;
begin
    select
        array_agg(w.term),
        array_agg(w.term) filter (where w.before < 2000),
        ('{' || string_agg(w.term || ':' || w.weight, ',') || '}/1000000000')::sparsevec
    into wanted, rare, query
    from (
        select q.*, sum(q.documents) over (order by q.documents, q.term) - q.documents as before
        from corpus.query_weights(terms, frequencies) as q
    ) as w;
    if wanted is null then
        return;
    end if;
    if corpus.matching_share(conditions, filters, groups) < 0.05 then
        return query
        select f.chunk_id, f.doc_id, f.score::real
        from corpus.score_filtered(query, amount, conditions, filters, groups) as f;
        return;
    end if;
    select
        coalesce(array_agg(s.chunk_id), '{}'),
        coalesce(array_agg(s.doc_id), '{}'),
        coalesce(array_agg(s.score), '{}'),
        case when count(*) = amount then min(s.score) else 0 end
    into chunks, documents, scores, threshold
    from corpus.score_terms(
        rare, '{}', query, 0, amount, conditions, filters, groups
    ) as s;
    select array_agg(w.term) into others
    from (
        select q.term, sum(q.bound) over (order by q.bound, q.term) as reach
        from corpus.query_weights(terms, frequencies) as q
    ) as w
    -- A little slack: distances are summed in single precision.
    where w.reach >= threshold * 0.9999;
    if not others <@ rare then
        return query
        select x.chunk_id, x.doc_id, x.score::real
        from (
            select * from unnest(chunks, documents, scores) as f (chunk_id, doc_id, score)
            union all
            select * from corpus.score_terms(
                others, rare, query, threshold * 0.9999, amount, conditions, filters, groups
            )
        ) as x
        order by x.score desc, x.chunk_id
        limit amount;
    else
        return query
        select f.chunk_id, f.doc_id, f.score::real
        from unnest(chunks, documents, scores) as f (chunk_id, doc_id, score);
    end if;
end
$$;
comment on function corpus.search_lexical is
'Best visible passages by BM25 (score); terms and frequencies as include.lexical makes them.';

-- Both scores of given passages, so that two legs can be added up where only one found a passage.
create function corpus.score_passages(
    chunks uuid[], model text, query halfvec, terms integer[], frequencies integer[]
)
returns table (chunk_id uuid, dense real, lexical real)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
set jit = off
as $$
declare
    table_name constant text := corpus.active_vectors(model);
    groups constant text[] := corpus.caller_groups();
    weights sparsevec;
begin
    select ('{' || string_agg(w.term || ':' || w.weight, ',') || '}/1000000000')::sparsevec
    into weights
    from corpus.query_weights(terms, frequencies) as w;
    return query execute format(
        'select c.chunk_id, %s, coalesce(-(l.impacts <#> $4), 0)::real
        from corpus.chunk as c
        inner join corpus.document as d on c.doc_id = d.doc_id
        left join corpus.chunk_lexical as l on c.chunk_id = l.chunk_id
        %s
        where c.chunk_id = any ($5) and %s',
        case when table_name is null then 'null::real' else '(1 - (e.embedding <=> $3))::real' end,
        case when table_name is not null then format(
            'left join corpus.%I as e on c.chunk_id = e.chunk_id', table_name
        ) end,
        corpus.row_conditions('[]')
    ) using null::jsonb, groups, query, weights, chunks;
end
$$;

-- Passages with what is shown of their documents, in no order.
create function corpus.passages(chunks uuid[])
returns table (
    chunk_id uuid, doc_id uuid, ordinal integer, start_char integer, end_char integer,
    page integer, heading_path text[], text text, flags text[], flag_spans jsonb,
    source text, uri text, title text, language text, type text, metadata jsonb,
    modified_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
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

-- New functions are open to all until this is said. The inner ones are for the owner alone.
revoke all on all functions in schema corpus from public;
grant execute on function
corpus.search_dense, corpus.search_lexical, corpus.score_passages, corpus.passages
to tidemark_serving, tidemark_operator, tidemark_pipeline;
