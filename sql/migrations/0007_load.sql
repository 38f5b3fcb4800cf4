-- Pieces of the merge that depend on the embedding model's table.
create function corpus.merge_staged_vectors(table_name text) returns bigint
language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
    merged bigint;
begin
    execute format(
        'insert into corpus.%I as e (chunk_id, input_hash, embedding)
        select c.chunk_id, c.input_hash, v.vector
        from pg_temp.staged_chunk as c
        inner join pg_temp.staged_vector as v on c.input_hash = v.input_hash
        order by c.chunk_id
        on conflict (chunk_id) do update
        set input_hash = excluded.input_hash, embedding = excluded.embedding
        where e.input_hash <> excluded.input_hash', table_name
    );
    get diagnostics merged = row_count;
    return merged;
end
$$;

-- How far the loaded vectors of some documents are from what is expected of them.
create function corpus.vector_check(table_name text, documents uuid[])
returns table (doc_id uuid, passages bigint, vectors bigint, norm_error double precision)
language plpgsql stable set search_path = pg_catalog, public, pg_temp
as $$
begin
    return query execute format(
        'select c.doc_id, count(*), count(e.chunk_id),
            coalesce(max(abs(1 - l2_norm(e.embedding))), 0)
        from corpus.chunk as c
        left join corpus.%I as e on c.chunk_id = e.chunk_id and c.input_hash = e.input_hash
        where c.doc_id = any($1)
        group by c.doc_id', table_name
    ) using documents;
end
$$;

-- Recompute every impact with a new average length, from terms and frequencies.
create function corpus.set_average_length(new_average real, k1 double precision, b double precision)
returns void
language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
    update corpus.lexical_total set average_length = new_average;
    update corpus.chunk_lexical as c
    set impacts = (
        select
            '{' || string_agg(
                t.term || ':' || (
                    t.tf * (k1 + 1) / (t.tf + k1 * (1 - b + b * c.length / new_average))
                )::real, ',' order by t.term
            ) || '}/1000000000'
        from unnest(c.terms, c.frequencies) as t (term, tf)
    )::sparsevec
    where cardinality(c.terms) > 0;
    update corpus.term as t
    set max_impact = x.max_impact
    from (
        select
            u.term,
            max(u.tf * (k1 + 1) / (u.tf + k1 * (1 - b + b * c.length / new_average))) as max_impact
        from corpus.chunk_lexical as c
        cross join lateral unnest(c.terms, c.frequencies) as u (term, tf)
        group by u.term
    ) as x
    where t.term = x.term;
end
$$;

revoke all on function corpus.merge_staged_vectors from public;
revoke all on function corpus.vector_check from public;
revoke all on function corpus.set_average_length from public;
grant execute on function corpus.merge_staged_vectors to tidemark_pipeline;
grant execute on function corpus.vector_check to tidemark_pipeline, tidemark_operator;
grant execute on function corpus.set_average_length to tidemark_pipeline;
