-- A row a day (UTC) with anything in it, newest first, as readers of these groups may see it.
with shown as (
    select
        s.doc_id,
        s.source,
        s.uri,
        s.title,
        s.summary,
        s.topics,
        s.entities,
        s.generated_at,
        (s.generated_at at time zone 'UTC')::date as day
    from warehouse.summary as s
    inner join corpus.document as d on s.doc_id = d.doc_id and d.status = 'current'
    where %(everything)s or d.acl = '{}' or d.acl && %(groups)s::text[]
),

recorded as (
    select
        r.task,
        (r.generated_at at time zone 'UTC')::date as day,
        count(*) as documents
    from warehouse.record as r
    inner join corpus.document as d on r.doc_id = d.doc_id and d.status = 'current'
    where %(everything)s or d.acl = '{}' or d.acl && %(groups)s::text[]
    group by 1, 2
),

costs as (
    select
        (c.started_at at time zone 'UTC')::date as day,
        count(*) as calls,
        sum(c.prompt_tokens) as prompt_tokens,
        sum(c.completion_tokens) as completion_tokens,
        sum(coalesce(c.cost_usd, c.reserved_usd)) as cost_usd
    from ops.llm_call as c
    inner join ops.generation_item as i on c.item_id = i.item_id
    inner join corpus.document as d on i.doc_id = d.doc_id
    where %(everything)s or d.acl = '{}' or d.acl && %(groups)s::text[]
    group by 1
),

days as (
    select day from shown
    union
    select day from recorded
    union
    select day from costs
),

-- Of topics and entities alike: how many documents name them, and how many did in the week before.
named as (
    select
        n.day,
        n.kind,
        n.name,
        n.label,
        n.documents,
        coalesce(
            sum(n.documents) over (
                partition by n.kind, n.name, n.label
                order by n.day
                range between interval '7 days' preceding and interval '1 day' preceding
            ), 0
        ) as before
    from (
        select
            s.day,
            'topic' as kind,
            lower(t.topic) as name,
            '' as label,
            count(distinct s.doc_id) as documents
        from shown as s
        cross join lateral jsonb_array_elements_text(s.topics) as t (topic)
        group by 1, 3
        union all
        select
            s.day,
            'entity',
            e.entity ->> 'name',
            coalesce(e.entity ->> 'label', ''),
            count(distinct s.doc_id)
        from shown as s
        cross join lateral jsonb_array_elements(s.entities) as e (entity)
        group by 1, 3, 4
    ) as n
),

rising as (
    select
        m.day,
        m.kind,
        jsonb_agg(
            jsonb_build_object(
                'name', m.name, 'label', m.label, 'documents', m.documents, 'before', m.before
            ) order by m.place
        ) as named
    from (
        select
            n.*,
            row_number() over (
                partition by n.day, n.kind
                order by n.documents - n.before / 7.0 desc, n.documents desc, n.name, n.label
            ) as place
        from named as n
    ) as m
    where m.place <= 10
    group by m.day, m.kind
),

news as (
    select
        s.day,
        count(*) as documents,
        jsonb_agg(
            jsonb_build_object(
                'doc_id',
                s.doc_id,
                'title',
                s.title,
                'source',
                s.source,
                'uri',
                s.uri,
                'summary',
                s.summary
            ) order by s.place
        ) filter (where s.place <= 20) as newest
    from (
        select
            w.*,
            row_number() over (partition by w.day order by w.generated_at desc, w.doc_id) as place
        from shown as w
    ) as s
    group by s.day
),

by_source as (
    select
        c.day,
        jsonb_object_agg(c.source, c.documents) as sources
    from (
        select
            s.day,
            s.source,
            count(*) as documents
        from shown as s
        group by s.day, s.source
    ) as c
    group by c.day
)

select
    d.day,
    coalesce(n.documents, 0) as documents,
    coalesce(b.sources, '{}') as sources,
    coalesce(n.newest, '[]') as newest,
    coalesce(
        (select jsonb_object_agg(r.task, r.documents) from recorded as r where r.day = d.day), '{}'
    ) as records,
    coalesce(t.named, '[]') as topics,
    coalesce(e.named, '[]') as entities,
    coalesce(c.calls, 0) as calls,
    coalesce(c.prompt_tokens, 0) as prompt_tokens,
    coalesce(c.completion_tokens, 0) as completion_tokens,
    coalesce(c.cost_usd, 0) as cost_usd
from days as d
left join news as n on d.day = n.day
left join by_source as b on d.day = b.day
left join rising as t on d.day = t.day and t.kind = 'topic'
left join rising as e on d.day = e.day and e.kind = 'entity'
left join costs as c on d.day = c.day
where %(day)s::date is null or d.day = %(day)s
order by d.day desc
