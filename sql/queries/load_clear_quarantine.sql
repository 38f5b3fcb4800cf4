-- What was merged is no longer in quarantine.
delete from ops.quarantine as q
using staged_document as s
where
    not s.stored
    and q.source = s.source
    and q.path = s.file_path
    and q.key = s.key
    and q.fence <= s.fence;
