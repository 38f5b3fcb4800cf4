-- People decide what is flagged. Every change of a decision goes through the functions below; the
-- pipeline may read the tables and no more.

-- Rows that wait, of outputs and documents that are current; `held_by` is the run that asks.
create view ops.waiting_review with (security_invoker = true) as
select
    r.item_id,
    i.task,
    i.doc_id,
    i.source,
    r.output_hash,
    r.asked_at,
    r.claimed_at,
    r.asked_in,
    r.asked_batch,
    r.proposal is not null and r.refused is null as edited,
    case
        when
            exists (select from ops.run as u where u.run_id = r.asked_in and u.state = 'running')
            then r.asked_in
    end as held_by
from ops.review as r
inner join ops.generation_item as i
    on r.item_id = i.item_id and r.output_hash = i.output_hash and i.state = 'review'
inner join corpus.document as d
    on i.doc_id = d.doc_id and i.content_hash = d.content_hash and d.status = 'current'
where r.state = 'waiting';

-- Opens the review of an output; one of the same output stands, unless it is void.
create function ops.ask_review(of_item uuid, of_run text, of_hash text)
returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    insert into ops.review as r (item_id, run_id, output_hash)
    values (of_item, of_run, of_hash)
    on conflict (item_id) do update set
        run_id = excluded.run_id,
        state = 'waiting',
        output_hash = excluded.output_hash,
        asked_at = now(),
        asked_in = null,
        asked_batch = null,
        claimed_at = null,
        proposal = null,
        proposal_hash = null,
        refused = null,
        warned = '{}',
        decided_by = null,
        decided_at = null,
        reason = null,
        edited = false
    where r.output_hash <> excluded.output_hash or r.state = 'void'
$$;

-- An output that was flagged does not become clean by being called so.
create function ops.keep_flagged()
returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if
        tg_op = 'UPDATE'
        and new.output_hash = old.output_hash
        and new.output is distinct from old.output
    then
        raise exception 'an output changes together with its hash' using errcode = 'TR007';
    end if;
    if new.state = 'clean' and exists (
        select from ops.flagged as f
        where
            f.item_id = new.item_id
            and (
                f.output_hash = new.output_hash
                or f.digest = sha256(convert_to(new.output::text, 'UTF8'))
            )
    ) then
        new.state := 'review';
        new.flags := case
            when tg_op = 'UPDATE' and old.flags <> '{}' then old.flags else '{flagged/before}'
        end;
    end if;
    return new;
end
$$;

create trigger keep_flagged
before insert or update on ops.generation_item
for each row execute function ops.keep_flagged();

-- What is flagged is asked about, what was decided about another output decides nothing, and what
-- nobody has approved leaves the warehouse.
create function ops.follow_item()
returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if new.state = 'review' and new.output is not null then
        insert into ops.flagged (item_id, output_hash, digest)
        values (new.item_id, new.output_hash, sha256(convert_to(new.output::text, 'UTF8')))
        on conflict do nothing;
        perform ops.ask_review(new.item_id, new.run_id, new.output_hash);
    end if;
    update ops.review as r
    set state = 'void'
    where
        r.item_id = new.item_id
        and r.state in ('waiting', 'approved')
        and r.output_hash is distinct from new.output_hash;
    if new.state in ('review', 'rejected') and not exists (
        select from ops.review as r
        where
            r.item_id = new.item_id
            and r.state = 'approved'
            and r.output_hash = new.output_hash
    ) then
        delete from warehouse.summary as s
        where s.item_id = new.item_id and s.output_hash = new.output_hash;
        delete from warehouse.record as s
        where s.item_id = new.item_id and s.output_hash = new.output_hash;
    end if;
    return null;
end
$$;

create trigger follow_item
after insert or update of state, output, output_hash, flags on ops.generation_item
for each row execute function ops.follow_item();

-- Who decided what stays; what they wrote about an output goes with the output.
create function ops.forget_reasons()
returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    update ops.review_event as e
    set reason = null
    from gone as g
    where e.item_id = g.item_id;
    return null;
end
$$;

create trigger forget_reasons
after delete on ops.generation_item
referencing old table as gone
for each statement execute function ops.forget_reasons();

-- Takes waiting rows for a run of summary_review, in batches of at most so many, and says which it
-- has. A row belongs to one open run; a claim that has outlived its days is nobody's.
create function ops.claim_reviews(of_run text, batch_rows integer, days integer)
returns table (batch integer, waiting bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtext('tidemark review claim'));
    -- A document that is again what the model was asked about is asked about again.
    perform ops.ask_review(r.item_id, i.run_id, r.output_hash)
    from ops.review as r
    inner join ops.generation_item as i
        on r.item_id = i.item_id and r.output_hash = i.output_hash and i.state = 'review'
    inner join corpus.document as d
        on i.doc_id = d.doc_id and i.content_hash = d.content_hash and d.status = 'current'
    where r.state = 'void';
    with wanted as (
        select w.item_id, row_number() over (order by w.source, w.asked_at, w.item_id) - 1 as place
        from ops.waiting_review as w
        where
            w.asked_in is distinct from of_run
            and (w.held_by is null or w.claimed_at < now() - make_interval(days => days + 1))
    ),
    taken as (
        select coalesce(max(r.asked_batch) + 1, 0) as first_free
        from ops.review as r
        where r.asked_in = of_run
    )
    update ops.review as r
    set asked_in = of_run, asked_batch = t.first_free + w.place / batch_rows, claimed_at = now()
    from wanted as w, taken as t
    where r.item_id = w.item_id;
    return query
    select w.asked_batch, count(*)
    from ops.waiting_review as w
    where w.asked_in = of_run
    group by w.asked_batch
    order by w.asked_batch;
end
$$;

-- Gives rows that nobody has decided back, for the next run to ask.
create function ops.release_reviews(of_run text)
returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    update ops.review as r
    set asked_in = null, asked_batch = null, claimed_at = null
    where r.asked_in = of_run and r.state = 'waiting'
$$;

-- The one way to decide. Refusals: TR001 no name, TR002 no such review, TR003 decided already,
-- TR004 void or of a document that has changed, TR005 another output than the one seen, TR006 not
-- a decision. Returns the state of the review.
create function ops.decide_review(
    of_item uuid,
    seen text,
    choice text,
    person text,
    why text,
    edited_output jsonb default null,
    edited_hash text default null
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    made ops.generation_item;
    asked ops.review;
    after_state text := case choice
        when 'approve' then 'approved' when 'reject' then 'rejected' else 'waiting'
    end;
begin
    if btrim(coalesce(person, '')) = '' then
        raise exception 'a decision needs a name' using errcode = 'TR001';
    end if;
    if choice is null or choice not in ('approve', 'edit', 'reject') then
        raise exception 'a decision approves, edits or rejects' using errcode = 'TR006';
    end if;
    if btrim(coalesce(why, '')) = '' then
        raise exception 'a decision needs a reason' using errcode = 'TR006';
    end if;
    -- First the item, then its review, as everything that changes both.
    select * into made from ops.generation_item as i where i.item_id = of_item for update;
    select * into asked from ops.review as r where r.item_id = of_item for update;
    if asked.item_id is null then
        raise exception 'nothing is asked about this item' using errcode = 'TR002';
    end if;
    if asked.state in ('approved', 'rejected') then
        raise exception 'decided already, by %', asked.decided_by using errcode = 'TR003';
    end if;
    if asked.state = 'void' or not exists (
        select from corpus.document as d
        where
            d.doc_id = made.doc_id
            and d.content_hash = made.content_hash
            and d.status = 'current'
    ) then
        raise exception 'the document or the output has changed' using errcode = 'TR004';
    end if;
    if
        seen is null or made.state <> 'review'
        or made.output_hash is distinct from seen or asked.output_hash <> seen
    then
        raise exception 'the output is another than the one seen' using errcode = 'TR005';
    end if;
    if asked.proposal is not null and asked.refused is null and asked.decided_by <> person then
        raise exception 'edited by %, and not checked yet', asked.decided_by
            using errcode = 'TR003';
    end if;
    if choice = 'edit' and (
        jsonb_typeof(edited_output) is distinct from 'object'
        or coalesce(edited_hash, '') = ''
        or edited_output = made.output
    ) then
        raise exception 'the edit changes nothing' using errcode = 'TR006';
    end if;
    update ops.review as r
    set
        state = after_state,
        decided_by = btrim(person),
        decided_at = now(),
        reason = btrim(why),
        proposal = case when choice = 'edit' then edited_output end,
        proposal_hash = case when choice = 'edit' then edited_hash end,
        refused = null,
        -- Warnings are about one text: what is edited further is judged anew.
        warned = case
            when choice = 'edit' and r.proposal_hash = edited_hash then r.warned else '{}'
        end
    where r.item_id = of_item;
    if choice = 'reject' then
        update ops.generation_item as i set state = 'rejected' where i.item_id = of_item;
    end if;
    insert into ops.review_event (item_id, action, decided_by, reason, before_hash, after_hash)
    values (
        of_item, choice, btrim(person), btrim(why), seen,
        case choice when 'approve' then seen when 'edit' then edited_hash end
    );
    return after_state;
end
$$;

-- Makes an edit that the filters passed the output, approved by who wrote it; returns false where
-- the edit, the output or the document is another one by now.
create function ops.accept_edit(
    of_item uuid, of_hash text, score double precision, told jsonb, status text
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    edited ops.review;
begin
    perform from ops.generation_item as i where i.item_id = of_item for update;
    select * into edited from ops.review as r where r.item_id = of_item for update;
    if
        edited.state is distinct from 'waiting'
        or edited.proposal_hash is distinct from of_hash
        or edited.refused is not null
        or coalesce(edited.decided_by, '') = ''
        or not exists (select from ops.waiting_review as w where w.item_id = of_item)
    then
        return false;
    end if;
    update ops.review as r
    set
        state = 'approved',
        output_hash = r.proposal_hash,
        edited = true,
        proposal = null,
        proposal_hash = null
    where r.item_id = of_item;
    update ops.generation_item as i
    set
        output = edited.proposal,
        output_hash = edited.proposal_hash,
        grounded_score = score,
        quality = told,
        compliance_status = status
    where i.item_id = of_item;
    return true;
end
$$;

-- Gives an edit back to people, with what the filters say of it. The name is kept with the event.
create function ops.refuse_edit(of_item uuid, of_hash text, told jsonb, rules text[])
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    update ops.review as r
    set
        refused = told,
        warned = r.warned || rules,
        decided_by = null,
        decided_at = null,
        reason = null
    where
        r.item_id = of_item
        and r.state = 'waiting'
        and r.proposal_hash = of_hash
        and r.refused is null;
    return found;
end
$$;

revoke insert, update, delete on ops.review, ops.review_event, ops.flagged
from tidemark_pipeline;
revoke insert, update, delete on ops.waiting_review from tidemark_pipeline;
grant select on ops.flagged, ops.waiting_review to tidemark_pipeline, tidemark_operator;
revoke all on function
ops.ask_review, ops.keep_flagged, ops.follow_item, ops.forget_reasons, ops.claim_reviews,
ops.release_reviews, ops.decide_review, ops.accept_edit, ops.refuse_edit
from public;
grant execute on function
ops.ask_review, ops.claim_reviews, ops.release_reviews, ops.decide_review, ops.accept_edit,
ops.refuse_edit
to tidemark_pipeline;
