insert into warehouse.finding (
    item_id, direction, number, task, doc_id, source, acl, rule, kind, severity, action,
    start_char, end_char, evidence, policy_version
)
values (
    %(item_id)s,
    %(direction)s,
    %(number)s,
    %(task)s,
    %(doc_id)s,
    %(source)s,
    (select d.acl from corpus.document as d where d.doc_id = %(doc_id)s),
    %(rule)s,
    %(kind)s,
    %(severity)s,
    %(action)s,
    %(start_char)s,
    %(end_char)s,
    %(evidence)s,
    %(policy_version)s
)
