select
    d.doc_id,
    d.source,
    d.content_hash,
    d.fence,
    d.language,
    length(d.text) as characters,
    case
        when %(fields)s::text[] = '{}' then '{}'::jsonb
        else coalesce(
            (
                select jsonb_object_agg(f.name, d.metadata -> f.name)
                from unnest(%(fields)s::text[]) as f (name)
                where d.metadata ? f.name
            ), '{}'
        )
    end as fields
from corpus.document as d
inner join corpus.source as s on d.source = s.name
where
    d.status = 'current'
    and s.removed_at is null
    and not coalesce(s.acl[1] like 'conversation:%%', false)
    and (%(source)s::text is null or d.source = %(source)s)
    and (%(source)s::text is not null or s.summarize)
    and (%(sources)s::text[] = '{}' or d.source = any(%(sources)s))
    and (%(languages)s::text[] = '{}' or d.language = any(%(languages)s))
    and (%(other_than)s::text is null or d.language not in (%(other_than)s, 'und'))
    and (%(kind)s = 'any' or (%(kind)s = 'records') = (d.key like 'record:%%'))
order by d.ingested_at desc, d.doc_id
