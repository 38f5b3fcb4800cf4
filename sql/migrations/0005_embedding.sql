-- One table of vectors a model, so that a second model can be built beside the first.
create function corpus.register_embedding_model(
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
        'create index %I on corpus.%I using hnsw (embedding halfvec_cosine_ops)',
        new_table || '_hnsw', new_table
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

revoke all on function corpus.register_embedding_model from public;
grant execute on function corpus.register_embedding_model to tidemark_pipeline;

-- Document frequencies and totals follow the passages within their transaction.
create function corpus.count_terms() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into corpus.term as t (term, documents, max_impact)
        select x.term, count(*), max(x.impact)
        from (
            select unnest(n.terms) as term, unnest(corpus.impact_values(n.impacts)) as impact
            from new_rows as n
        ) as x
        group by x.term
        order by x.term
        on conflict (term) do update
        set
            documents = t.documents + excluded.documents,
            max_impact = greatest(t.max_impact, excluded.max_impact);
        update corpus.lexical_total as l
        set
            passages = l.passages + x.passages,
            total_length = l.total_length + x.total_length
        from (
            select count(*) as passages, coalesce(sum(length), 0) as total_length from new_rows
        ) as x
        where x.passages > 0;
    else
        update corpus.term as t
        set documents = t.documents - x.documents
        from (
            select unnest(o.terms) as term, count(*) as documents
            from old_rows as o
            group by 1
        ) as x
        where t.term = x.term;
        delete from corpus.term as t
        using (select distinct unnest(o.terms) as term from old_rows as o) as x
        where t.term = x.term and t.documents <= 0;
        update corpus.lexical_total as l
        set
            passages = l.passages - x.passages,
            total_length = l.total_length - x.total_length
        from (
            select count(*) as passages, coalesce(sum(length), 0) as total_length from old_rows
        ) as x
        where x.passages > 0;
    end if;
    return null;
end
$$;

-- Values of a sparse vector in the order of its indices.
create function corpus.impact_values(impacts sparsevec) returns real[]
language sql immutable parallel safe set search_path = pg_catalog, public, pg_temp
as $$
    select array_agg(split_part(pair, ':', 2)::real order by split_part(pair, ':', 1)::integer)
    from unnest(
        string_to_array(substring(impacts::text from '\{(.*)\}'), ',')
    ) as pair
    where pair <> ''
$$;

create trigger count_inserted after insert on corpus.chunk_lexical
referencing new table as new_rows
for each statement execute function corpus.count_terms();
create trigger count_deleted after delete on corpus.chunk_lexical
referencing old table as old_rows
for each statement execute function corpus.count_terms();
