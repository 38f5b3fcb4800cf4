insert into ops.run_change (run_id, doc_id, source, outcome)
select
    %(run_id)s,
    d.doc_id,
    d.source,
    'deleted'
from corpus.document as d
inner join staged_gone as g on d.doc_id = g.doc_id
where d.source = %(source)s and d.status <> 'deleted' and d.fence < %(fence)s
on conflict (run_id, doc_id) do update set outcome = 'deleted';
