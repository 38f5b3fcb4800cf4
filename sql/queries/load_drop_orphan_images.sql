delete from staged_image as i
where not exists (select from staged_document as s where s.doc_id = i.doc_id);
