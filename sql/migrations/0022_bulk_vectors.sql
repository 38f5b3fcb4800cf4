-- A first load: building the graph once over all vectors is much quicker than adding each to it and
-- uses several cores. Only an empty table loses its index, so no search misses it.
create function corpus.begin_bulk_vectors(table_name text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set lock_timeout = '2s'
as $$
declare
    filled boolean;
begin
    if not exists (select from corpus.embedding_model as m where m.table_name = $1) then
        raise exception 'no embedding model has the table %', table_name;
    end if;
    execute format('select exists (select from corpus.%I)', table_name) into filled;
    if filled then
        return false;
    end if;
    execute format('drop index if exists corpus.%I', table_name || '_hnsw');
    return true;
exception when lock_not_available then
    -- Somebody is loading or searching: the vectors are added one by one, then.
    return false;
end
$$;

-- Build the index where it is missing: at the end of a first load, or after one that was killed.
create function corpus.end_bulk_vectors(table_name text) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
begin
    if not exists (select from corpus.embedding_model as m where m.table_name = $1) then
        raise exception 'no embedding model has the table %', table_name;
    end if;
    if to_regclass(format('corpus.%I', table_name || '_hnsw')) is null then
        execute format(
            'create index if not exists %I on corpus.%I using hnsw (embedding halfvec_cosine_ops)
            with (m = 16, ef_construction = 128)', table_name || '_hnsw', table_name
        );
    end if;
end
$$;

revoke all on function corpus.begin_bulk_vectors from public;
revoke all on function corpus.end_bulk_vectors from public;
grant execute on function corpus.begin_bulk_vectors to tidemark_pipeline;
grant execute on function corpus.end_bulk_vectors to tidemark_pipeline;
