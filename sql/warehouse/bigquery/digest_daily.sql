with topics as (
    select
        r.day,
        to_json(
            array_agg(
                struct(r.topic as topic, r.documents as documents, r.earlier as before)
                order by r.documents * 7 - r.earlier desc, r.topic
                limit 10
            )
        ) as risen
    from (
        select
            d.day,
            d.topic,
            d.documents,
            coalesce(sum(b.documents), 0) as earlier
        from `{dataset}.topic_daily` as d
        left join `{dataset}.topic_daily` as b
            on d.topic = b.topic and b.day >= date_sub(d.day, interval 7 day) and b.day < d.day
        group by d.day, d.topic, d.documents
    ) as r
    group by r.day
),

entities as (
    select
        d.day,
        to_json(
            array_agg(
                struct(d.name as name, d.label as label, d.documents as documents)
                order by d.documents desc, d.name
                limit 10
            )
        ) as named
    from `{dataset}.entity_daily` as d
    group by d.day
),

costs as (
    select
        c.day,
        sum(c.cost_usd) as cost_usd
    from `{dataset}.llm_cost_daily` as c
    group by c.day
)

select
    n.day,
    n.documents,
    n.sources,
    n.newest,
    coalesce(t.risen, json '[]') as topics,
    coalesce(e.named, json '[]') as entities,
    coalesce(c.cost_usd, 0) as cost_usd
from (
    select
        date(s.generated_at) as day,
        count(*) as documents,
        to_json(array_agg(distinct s.source order by s.source)) as sources,
        to_json(array_agg(s.title order by s.generated_at desc, s.doc_id limit 10)) as newest
    from `{dataset}.document_summary` as s
    group by day
) as n
left join topics as t on n.day = t.day
left join entities as e on n.day = e.day
left join costs as c on n.day = c.day
