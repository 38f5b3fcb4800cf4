delete from corpus.near_duplicate as n
using dedup_gone as g
where n.doc_id = g.doc_id;
