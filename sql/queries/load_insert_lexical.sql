insert into corpus.chunk_lexical (chunk_id, length, terms, frequencies, impacts)
select
    n.chunk_id,
    n.length,
    n.terms,
    n.frequencies,
    n.impacts
from staged_chunk as n
where not exists (select from corpus.chunk_lexical as l where l.chunk_id = n.chunk_id)
order by n.chunk_id;
