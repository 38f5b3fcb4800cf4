delete from staged_mention as m
where not exists (select from staged_document as s where s.doc_id = m.doc_id);
