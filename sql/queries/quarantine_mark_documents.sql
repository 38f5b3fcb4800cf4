-- The document of the input, or for a file as a whole all that lies in it.
update corpus.document as d
set
    stale = true,
    own_acl = case
        when s.hide then '{!nobody}'
        when s.acl_known then s.own_acl
        else d.own_acl
    end,
    acl = case
        when s.hide then '{!nobody}'
        when s.acl_known then corpus.effective_acl(c.acl, s.own_acl)
        else d.acl
    end
from staged_quarantine as s
inner join corpus.source as c on s.source = c.name
where
    d.source = s.source
    and (d.doc_id = s.doc_id or (s.key = 'file:' || s.path and d.file_path = s.path))
    and d.status <> 'deleted'
    and d.fence <= s.fence
    and (
        not d.stale
        or (s.hide and d.acl <> '{!nobody}')
        or (s.acl_known and d.own_acl is distinct from s.own_acl)
    );
