-- Rows whose terms changed are written anew: triggers count inserts and deletes.
delete from corpus.chunk_lexical as l
using staged_chunk as n
where
    l.chunk_id = n.chunk_id
    and (
        l.terms <> n.terms or l.frequencies <> n.frequencies or l.length <> n.length
    );
