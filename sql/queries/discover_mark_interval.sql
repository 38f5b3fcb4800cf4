-- A backfill takes document files by their stated date or file time; records are chosen singly.
update listed_file as l
set state = 'skipped'
where
    l.source = %(source)s
    and l.kind = 'document'
    and l.state in ('read', 'check', 'same')
    and not (
        coalesce((l.meta ->> 'updated_at')::timestamptz, to_timestamp(l.mtime_ns / 1e9))
        between %(start)s and %(end)s - interval '1 microsecond'
    );
