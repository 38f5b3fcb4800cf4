-- Who asks a question: of two runs, or two attempts of one, the second waits for the first's reply.
-- A claim lasts as long as the session that made it, which holds an advisory lock of its number.
alter table ops.llm_request add column claimed_by integer;
comment on column ops.llm_request.claimed_by is
'Number of the session that asks, or asked last; its advisory lock tells whether it still does.';

-- Not inlined, and looked up anew at each call: a claim may be made while a statement waits.
create function ops.claim_holds(claimant integer)
returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select
        from pg_locks as l
        where
            l.locktype = 'advisory'
            and l.database = (select d.oid from pg_database as d where d.datname = current_database())
            and l.classid = hashtext('tidemark claim')::oid
            and l.objid = claimant::oid
            and l.objsubid = 2
            and l.granted
    );
end
$$;
revoke all on function ops.claim_holds from public;
grant execute on function ops.claim_holds to tidemark_pipeline;

-- As before, and what was judged anew and is not clean any more is withdrawn: it was bought again,
-- and is blocked, rejected or waits for people.
create or replace function warehouse.withdraw(changed uuid[])
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    gone constant uuid[] := array(
        select i.item_id
        from ops.generation_item as i
        where
            i.context <> '{}'
            and (changed is null or i.context && changed or i.doc_id = any(changed))
            and not ops.context_allowed(i.doc_id, i.context)
        union
        select i.item_id
        from ops.generation_item as i
        where
            i.state in ('blocked', 'review', 'rejected')
            and (changed is null or i.doc_id = any(changed))
            and not exists (
                select from ops.review as r
                where
                    r.item_id = i.item_id
                    and r.output_hash = i.output_hash
                    -- A document that changed voids its review; what was approved stands until then.
                    and r.state in ('approved', 'void')
                    and coalesce(r.decided_by, '') <> ''
            )
    );
begin
    if gone <> '{}' then
        delete from warehouse.summary as s where s.item_id = any(gone);
        delete from warehouse.record as s where s.item_id = any(gone);
    end if;
end
$$;
