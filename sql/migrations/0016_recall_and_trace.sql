-- Filters that leave a tenth of the passages lose more of the nearest ones than those that leave a
-- half: they get as many candidates as the index can give.
create or replace function corpus.nearest_by_index(
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
                1000,
                greatest(
                    case when share < 0.2 then 1000 when share < 1 then 600 else 200 end,
                    ceil(amount / share)
                )
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

-- `trace` shows what was published about a document, and what was found in it.
grant usage on schema warehouse to tidemark_operator;
grant select on warehouse.summary, warehouse.record, warehouse.finding to tidemark_operator;
