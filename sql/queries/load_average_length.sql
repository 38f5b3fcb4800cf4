-- The grid: powers of 1.1, so that the stored average is a function of the corpus alone.
select
    average_length,
    case
        when passages > 0 and total_length > 0
            then power(
                1.1, round(log(1.1, greatest(total_length / passages, 1)::numeric))
            )::real
    end as wanted
from corpus.lexical_total;
