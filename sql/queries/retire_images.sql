delete from corpus.image as i
using corpus.document as d
inner join staged_gone as g on d.doc_id = g.doc_id
where i.doc_id = d.doc_id and d.source = %(source)s and d.fence < %(fence)s;
