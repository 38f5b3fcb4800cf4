select
    path,
    uri,
    meta_hash,
    meta,
    own_acl,
    mtime_ns,
    stored_hash,
    to_timestamp(mtime_ns / 1e9) as modified_at
from listed_file
where source = %(source)s and state = %(state)s and kind = coalesce(%(kind)s, kind)
order by path;
