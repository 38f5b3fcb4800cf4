create temporary table staged_vector (
    input_hash text not null,
    vector halfvec not null
) on commit drop;
