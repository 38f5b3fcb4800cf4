insert into corpus.vector_cache (model_id, input_hash, vector)
select
    %(model_id)s,
    s.input_hash,
    s.vector
from staged_vector as s
order by s.input_hash
on conflict (model_id, input_hash) do nothing;
