-- Bands of documents whose text has changed. The exact hash covers all that bands are made of.
delete from corpus.near_duplicate_band as b
using corpus.near_duplicate as n, dedup_incoming as i
where
    n.doc_id = i.doc_id
    and b.doc_id = n.doc_id
    and n.exact_hash <> i.exact_hash;
