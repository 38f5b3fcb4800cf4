-- A title is published as the policy shows it, as what was generated about the document is.
alter table ops.generation_item add column shown_title text;
comment on column ops.generation_item.shown_title is
'The document''s title with what the policy masks in the warehouse; null: the title as it is.';

-- As before, but for the title.
create or replace function warehouse.publish(wanted uuid[])
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    written integer := 0;
    more integer;
begin
    perform pg_advisory_xact_lock(hashtext('tidemark publish'));
    create temporary table ready on commit drop as
    select i.*, p.approved_by, d.uri, d.language, d.acl, coalesce(
        i.shown_title, nullif(d.title, ''), nullif(d.record_id, ''),
        regexp_replace(d.file_path, '^.*/', '')
    ) as title
    from ops.publishable(wanted) as p
    inner join ops.generation_item as i on p.item_id = i.item_id
    inner join corpus.document as d on i.doc_id = d.doc_id;

    insert into warehouse.summary as s (
        doc_id, item_id, output_hash, source, uri, title, language, acl, summary, key_points,
        entities, topics, sentiment, document_type, questions, relations, events, model,
        prompt_version, content_hash, grounded_score, compliance_status, approved_by, generated_at, cost_usd, fence
    )
    select
        r.doc_id, r.item_id, r.output_hash, r.source, r.uri, r.title, r.language, r.acl,
        r.output ->> 'summary',
        coalesce(r.output -> 'key_points', '[]'), coalesce(r.output -> 'entities', '[]'),
        coalesce(r.output -> 'topics', '[]'), r.output ->> 'sentiment',
        r.output ->> 'document_type', coalesce(r.output -> 'questions', '[]'),
        coalesce(r.output -> 'relations', '[]'), coalesce(r.output -> 'events', '[]'), r.model,
        r.prompt_version, r.content_hash, r.grounded_score, coalesce(r.compliance_status, 'clean'),
        r.approved_by, r.generated_at, r.cost_usd, r.fence
    from pg_temp.ready as r
    where r.task = 'document_summary'
    on conflict (doc_id) do update set
        item_id = excluded.item_id,
        output_hash = excluded.output_hash,
        source = excluded.source,
        uri = excluded.uri,
        title = excluded.title,
        language = excluded.language,
        acl = excluded.acl,
        summary = excluded.summary,
        key_points = excluded.key_points,
        entities = excluded.entities,
        topics = excluded.topics,
        sentiment = excluded.sentiment,
        document_type = excluded.document_type,
        questions = excluded.questions,
        relations = excluded.relations,
        events = excluded.events,
        model = excluded.model,
        prompt_version = excluded.prompt_version,
        content_hash = excluded.content_hash,
        grounded_score = excluded.grounded_score,
        compliance_status = excluded.compliance_status,
        approved_by = excluded.approved_by,
        generated_at = excluded.generated_at,
        published_at = now(),
        cost_usd = excluded.cost_usd,
        fence = excluded.fence
    where
        s.fence <= excluded.fence
        and (s.fence < excluded.fence or s.generated_at <= excluded.generated_at)
        and (
            s.item_id, s.output_hash, s.generated_at, s.uri, s.title, s.language, s.acl,
            s.approved_by
        )
        is distinct from (
            excluded.item_id, excluded.output_hash, excluded.generated_at, excluded.uri,
            excluded.title, excluded.language, excluded.acl, excluded.approved_by
        );
    get diagnostics written = row_count;

    insert into warehouse.record as s (
        task, doc_id, item_id, output_hash, source, uri, title, language, acl, output, model,
        prompt_version, content_hash, grounded_score, compliance_status, approved_by, generated_at, cost_usd, fence
    )
    select
        r.task, r.doc_id, r.item_id, r.output_hash, r.source, r.uri, r.title, r.language, r.acl,
        r.output, r.model, r.prompt_version, r.content_hash, r.grounded_score,
        coalesce(r.compliance_status, 'clean'), r.approved_by, r.generated_at, r.cost_usd, r.fence
    from pg_temp.ready as r
    where r.task <> 'document_summary'
    on conflict (task, doc_id) do update set
        item_id = excluded.item_id,
        output_hash = excluded.output_hash,
        source = excluded.source,
        uri = excluded.uri,
        title = excluded.title,
        language = excluded.language,
        acl = excluded.acl,
        output = excluded.output,
        model = excluded.model,
        prompt_version = excluded.prompt_version,
        content_hash = excluded.content_hash,
        grounded_score = excluded.grounded_score,
        compliance_status = excluded.compliance_status,
        approved_by = excluded.approved_by,
        generated_at = excluded.generated_at,
        published_at = now(),
        cost_usd = excluded.cost_usd,
        fence = excluded.fence
    where
        s.fence <= excluded.fence
        and (s.fence < excluded.fence or s.generated_at <= excluded.generated_at)
        and (
            s.item_id, s.output_hash, s.generated_at, s.uri, s.title, s.language, s.acl,
            s.approved_by
        )
        is distinct from (
            excluded.item_id, excluded.output_hash, excluded.generated_at, excluded.uri,
            excluded.title, excluded.language, excluded.acl, excluded.approved_by
        );
    get diagnostics more = row_count;
    drop table pg_temp.ready;
    return written + more;
end
$$;

comment on column warehouse.document_summary.title is
'Its title, with what the policy masks; else its record''s id or the name of its file.';
comment on column warehouse.generated_record.title is
'Its title, with what the policy masks; else its record''s id or the name of its file.';
