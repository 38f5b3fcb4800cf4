-- The knowledge graph: what published summaries state about named things, where the document's own
-- words say so. Evidence is stored; nodes and edges are what the evidence adds up to.
create table warehouse.graph_evidence (
    doc_id uuid not null references warehouse.summary (doc_id) on delete cascade,
    number integer not null,
    kind text not null check (kind in ('relation', 'event')),
    subject_id uuid,
    subject text,
    subject_entity_id uuid,
    predicate text not null,
    object_id uuid not null,
    object text not null,
    object_entity_id uuid,
    happened text not null default '',
    start_char integer not null,
    end_char integer not null,
    primary key (doc_id, number),
    check (0 <= start_char and start_char < end_char),
    check ((subject_id is null) = (subject is null))
);
create index graph_evidence_subject on warehouse.graph_evidence (subject_id);
create index graph_evidence_object on warehouse.graph_evidence (object_id);

-- A row is seen by those who see the summary that it was read from.
alter table warehouse.graph_evidence enable row level security;
create policy visible on warehouse.graph_evidence for select to tidemark_analyst
using (exists (select from warehouse.summary as s where s.doc_id = graph_evidence.doc_id));
create policy everything on warehouse.graph_evidence to tidemark_pipeline, tidemark_operator
using (true) with check (true);

-- The name that identifies an entity, as the recognition of entities forms it.
create function corpus.normalised_name(given text)
returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
    select case when n.name ~ '[[:alpha:]]' then n.name else '' end
    from (
        select btrim(regexp_replace(
            regexp_replace(
                btrim(
                    regexp_replace(
                        replace(lower(normalize(given, nfkc)), U&'\2019', ''''), '\s+', ' ', 'g'
                    ),
                    ' .,;:!?()[]{}<>"''`*_#|-'
                ),
                '^(?:the|an?)\s+(?=\w)', ''
            ),
            '(?:''s|(?<=s)'')$', ''
        )) as name
    ) as n
$$;

-- Where a quotation stands in a text: as it is, else whatever its case and spacing. Offsets in code
-- points; no row where it is not there.
create function corpus.locate(quoted text, content text)
returns table (start_char integer, end_char integer)
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
    select f.first - 1, f.past - 1
    from (select btrim(quoted, E' \t\r\n') as quote) as q
    cross join lateral (
        select regexp_replace(
            regexp_replace(q.quote, '([][(){}.*+?^$|\\-])', '\\\1', 'g'), '\s+', '\\s+', 'g'
        ) as pattern
    ) as p
    cross join lateral (
        select
            strpos(content, q.quote) as first,
            strpos(content, q.quote) + char_length(q.quote) as past,
            1 as choice
        union all
        select
            regexp_instr(content, p.pattern, 1, 1, 0, 'i'),
            regexp_instr(content, p.pattern, 1, 1, 1, 'i'),
            2
        where strpos(content, q.quote) = 0
    ) as f
    where q.quote <> '' and f.first > 0
    order by f.choice
    limit 1
$$;

-- Reads the graph of one published summary anew.
create function warehouse.read_graph(of_doc uuid)
returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    delete from warehouse.graph_evidence as g where g.doc_id = of_doc;
    with said as (
        select
            s.doc_id, 'relation' as kind, r.item ->> 'subject' as subject,
            r.item ->> 'predicate' as predicate, r.item ->> 'object' as object, '' as happened,
            r.item ->> 'evidence' as quoted
        from warehouse.summary as s
        cross join lateral jsonb_array_elements(s.relations) as r (item)
        where s.doc_id = of_doc
        union all
        select
            s.doc_id, 'event', p.participant, 'takes part in', e.item ->> 'what',
            coalesce(e.item ->> 'when', ''), e.item ->> 'evidence'
        from warehouse.summary as s
        cross join lateral jsonb_array_elements(s.events) as e (item)
        left join lateral jsonb_array_elements_text(
            coalesce(e.item -> 'participants', '[]')
        ) as p (participant) on true
        where s.doc_id = of_doc
    ),
    names as (
        select distinct on (corpus.normalised_name(m.text))
            corpus.normalised_name(m.text) as name, m.entity_id
        from corpus.mention as m
        where m.doc_id = of_doc
        group by 1, 2
        order by 1, count(*) desc, 2
    ),
    evidenced as (
        select
            a.*, l.start_char, l.end_char,
            corpus.normalised_name(a.subject) as subject_name,
            corpus.normalised_name(a.object) as object_name
        from said as a
        inner join corpus.document as d on a.doc_id = d.doc_id
        cross join lateral corpus.locate(a.quoted, d.text) as l
        where
            (a.subject is null or exists (select from corpus.locate(a.subject, d.text)))
            and (a.kind = 'event' or exists (select from corpus.locate(a.object, d.text)))
    )
    insert into warehouse.graph_evidence (
        doc_id, number, kind, subject_id, subject, subject_entity_id, predicate, object_id, object,
        object_entity_id, happened, start_char, end_char
    )
    select
        e.doc_id,
        row_number() over (order by e.kind desc, e.start_char, e.subject, e.predicate, e.object),
        e.kind,
        coalesce(s.entity_id, md5('node ' || e.subject_name)::uuid),
        e.subject,
        s.entity_id,
        lower(btrim(e.predicate)),
        case
            when e.kind = 'event' then md5('event ' || e.doc_id || ' ' || e.object_name)::uuid
            else coalesce(o.entity_id, md5('node ' || e.object_name)::uuid)
        end,
        e.object,
        case when e.kind = 'relation' then o.entity_id end,
        e.happened,
        e.start_char,
        e.end_char
    from evidenced as e
    left join names as s on e.subject_name = s.name
    left join names as o on e.object_name = o.name
    where
        (e.subject is null or e.subject_name <> '')
        and e.object_name <> ''
        and btrim(e.predicate) <> ''
$$;

create function warehouse.follow_summary()
returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform warehouse.read_graph(new.doc_id);
    return null;
end
$$;

create trigger follow_summary
after insert or update of item_id, output_hash, relations, events on warehouse.summary
for each row execute function warehouse.follow_summary();

create view warehouse.evidence with (security_invoker = true) as
select
    g.doc_id,
    s.source,
    s.uri,
    s.acl,
    g.kind,
    g.subject_id,
    g.subject,
    g.predicate,
    g.object_id,
    g.object,
    g.happened,
    g.start_char,
    g.end_char
from warehouse.graph_evidence as g
inner join warehouse.summary as s on g.doc_id = s.doc_id;

create view warehouse.node with (security_invoker = true) as
select
    n.node_id,
    n.kind,
    min(n.name) as name,
    n.entity_id,
    count(distinct n.doc_id) as documents
from (
    select
        g.subject_id as node_id,
        'thing' as kind,
        g.subject as name,
        g.subject_entity_id as entity_id,
        g.doc_id
    from warehouse.graph_evidence as g
    where g.subject_id is not null
    union all
    select
        g.object_id,
        case when g.kind = 'event' then 'event' else 'thing' end,
        g.object,
        g.object_entity_id,
        g.doc_id
    from warehouse.graph_evidence as g
) as n
group by n.node_id, n.kind, n.entity_id;

create view warehouse.edge with (security_invoker = true) as
select
    g.subject_id,
    g.predicate,
    g.object_id,
    g.kind,
    min(g.subject) as subject,
    min(g.object) as object,
    count(*) as evidence,
    count(distinct g.doc_id) as documents
from warehouse.graph_evidence as g
where g.subject_id is not null
group by g.subject_id, g.predicate, g.object_id, g.kind;

comment on view warehouse.evidence is
'Where documents state relations and events: offsets of the words in corpus.document_current.text.';
comment on view warehouse.node is
'Things and events that published summaries relate, counted over documents the reader may see.';
comment on view warehouse.edge is
'What relates two nodes, with how often and in how many documents it is stated.';
comment on column warehouse.node.entity_id is 'Of corpus.entity, where the document mentions it.';
comment on column warehouse.evidence.happened is 'When an event happens, in the summary''s words.';
comment on column warehouse.evidence.start_char is 'Of the quoted words, in code points from 0.';

revoke all on function
corpus.normalised_name, corpus.locate, warehouse.read_graph, warehouse.follow_summary
from public;
revoke insert, update, delete on warehouse.graph_evidence from tidemark_pipeline;
grant select on
warehouse.graph_evidence, warehouse.evidence, warehouse.node, warehouse.edge
to tidemark_analyst, tidemark_operator, tidemark_pipeline;

select warehouse.read_graph(s.doc_id) from warehouse.summary as s;
