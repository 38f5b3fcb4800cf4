with listed as (
    select
        p.doc_id,
        p.state,
        row_number() over (
            partition by p.source, p.key, p.state
            order by
                p.updated_at desc nulls last,
                f.mtime_ns desc,
                p.path desc,
                p.row_number desc,
                p.occurrence desc
        ) as place,
        not %(scoped)s or exists (
            select from scope as s
            where
                s.source = p.source
                and s.path = p.path
                and (s.key is null or (s.key = p.key and s.occurrence = p.occurrence))
        ) as counted
    from corpus.place as p
    inner join corpus.file as f on p.source = f.source and p.path = f.path
    where p.source = any(%(sources)s) and p.state in ('ok', 'bad')
),

judged as (
    select
        case
            when l.state = 'bad' then 'quarantined'
            when l.place > 1 then 'superseded'
            when d.status = 'duplicate' then 'duplicate'
            else coalesce(r.outcome, 'unchanged')
        end as outcome
    from listed as l
    left join corpus.document as d on l.doc_id = d.doc_id
    left join ops.run_change as r on l.doc_id = r.doc_id and r.run_id = %(run_id)s
    -- What an earlier attempt of this run has done is no difference any more.
    where l.counted or (r.outcome is not null and l.place = 1 and l.state = 'ok')
)

select
    outcome,
    count(*) as inputs
from judged
group by outcome
union all
select
    'deleted',
    count(*)
from ops.run_change
where run_id = %(run_id)s and outcome = 'deleted' and source = any(%(sources)s)
having count(*) > 0;
