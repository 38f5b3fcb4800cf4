-- The document of the input; for a file as a whole all that lies in it, members of members too. A
-- list that was read replaces the stored one of its own document; what is known of a file alone
-- only narrows the lists of what lies in it.
with marked as (
    select
        d.doc_id,
        bool_or(s.hide) as hide,
        bool_or(s.acl_known and d.doc_id = s.doc_id) as acl_known,
        min(s.own_acl) filter (where s.acl_known and d.doc_id = s.doc_id) as own_acl,
        min(s.own_acl) filter (where s.acl_known) as outer_acl
    from staged_quarantine as s
    inner join corpus.document as d
        on
            s.source = d.source
            and (
                s.doc_id = d.doc_id
                or (
                    s.doc_id is not null
                    and (
                        (s.key = 'file:' || s.path and d.file_path = s.path)
                        or left(d.key, length(s.key) + 2) = s.key || '!/'
                    )
                )
            )
    where d.status <> 'deleted' and d.fence <= s.fence
    group by d.doc_id
),

wanted as (
    select
        m.doc_id,
        c.acl as source_acl,
        case
            when m.hide then '{!nobody}'::text[]
            when m.acl_known then m.own_acl
            when m.outer_acl is null then d.own_acl
            else corpus.effective_acl(m.outer_acl, d.own_acl)
        end as own_acl
    from marked as m
    inner join corpus.document as d on m.doc_id = d.doc_id
    inner join corpus.source as c on d.source = c.name
)

update corpus.document as d
set
    stale = true,
    own_acl = w.own_acl,
    acl = corpus.effective_acl(w.source_acl, w.own_acl)
from wanted as w
where
    d.doc_id = w.doc_id
    and (
        not d.stale
        or d.own_acl is distinct from w.own_acl
        or d.acl <> corpus.effective_acl(w.source_acl, w.own_acl)
    );
