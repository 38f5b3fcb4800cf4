update corpus.document as d
set
    status = 'deleted',
    stale = false,
    fence = %(fence)s,
    record_id = null,
    uri = '',
    title = '',
    text = '',
    language = 'und',
    headings = '[]',
    pages = '{}',
    metadata = '{}',
    own_acl = null,
    acl = '{!nobody}',
    stated_at = null,
    source_hash = '',
    meta_hash = '',
    content_hash = '',
    parser = '',
    versions = '{}',
    run_id = %(run_id)s
from staged_gone as g
where
    d.doc_id = g.doc_id
    and d.source = %(source)s
    and d.status <> 'deleted'
    and d.fence < %(fence)s;
