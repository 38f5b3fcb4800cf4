delete from staged_chunk as c
where not exists (select from staged_document as s where s.doc_id = c.doc_id);
