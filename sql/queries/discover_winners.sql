-- The current version of every key that this listing touches, computed over all places where the
-- key stands: the later updated_at, then file time, name and row. Where that one cannot be read,
-- what is stored stays: no older one takes its place.
with touched as (
    select source, key from listed_place
    where source = %(source)s
    union
    select p.source, p.key
    from corpus.place as p
    left join listed_file as l on p.source = l.source and p.path = l.path
    where
        p.source = %(source)s
        and (l.path is null and %(complete)s or l.state = 'read')
),

candidate as (
    select
        n.source,
        n.path,
        n.key,
        n.occurrence,
        n.doc_id,
        n.source_hash,
        n.updated_at,
        n.row_number,
        n.spool_row,
        n.state
    from listed_place as n
    where n.source = %(source)s
    union all
    select
        p.source,
        p.path,
        p.key,
        p.occurrence,
        p.doc_id,
        p.source_hash,
        p.updated_at,
        p.row_number,
        null,
        p.state
    from corpus.place as p
    inner join touched as t on p.source = t.source and p.key = t.key
    left join listed_file as l on p.source = l.source and p.path = l.path
    where
        (l.path is not null or not %(complete)s)
        and not exists (
            select from listed_place as n
            where
                n.source = p.source
                and n.path = p.path
                and n.key = p.key
                and n.occurrence = p.occurrence
        )
        -- What a file that was read whole no longer holds stands there no longer.
        and (l.path is null or l.state <> 'read' or not l.whole)
),

winner as (
    select distinct on (c.source, c.key)
        c.*,
        coalesce(l.meta_hash, f.meta_hash) as meta_hash
    from candidate as c
    left join listed_file as l on c.source = l.source and c.path = l.path
    left join corpus.file as f on c.source = f.source and c.path = f.path
    order by
        c.source asc,
        c.key asc,
        -- What cannot be read may state no date; it is as old as its file.
        coalesce(
            c.updated_at,
            case
                when c.state = 'bad' then to_timestamp(coalesce(l.mtime_ns, f.mtime_ns) / 1e9)
            end
        ) desc nulls last,
        coalesce(l.mtime_ns, f.mtime_ns) desc,
        c.path desc,
        c.row_number desc,
        c.occurrence desc
)

select
    w.path,
    w.key,
    w.occurrence,
    w.spool_row,
    w.state
from winner as w
left join corpus.document as d on w.doc_id = d.doc_id
left join ops.quarantine as q on w.source = q.source and w.path = q.path and w.key = q.key
where
    w.state = 'bad'
    -- Neither stored as it stands there, nor known to be bad as it stands there.
    or (
        (
            %(full)s
            or d.doc_id is null
            or d.status = 'deleted'
            or d.stale
            or d.source_hash <> w.source_hash
            or d.meta_hash <> w.meta_hash
            or d.file_path <> w.path
            or not d.parser = any(%(parsers)s)
        )
        and (
            %(full)s
            or q.quarantine_id is null
            or q.transient
            or q.retry
            or q.source_hash <> w.source_hash || w.meta_hash
        )
        and (
            w.spool_row is not null
            or not exists (
                select from listed_file as l
                where
                    l.source = w.source
                    and l.path = w.path
                    and l.state in ('read', 'skipped', 'problem')
            )
        )
    );
