drop table
    dedup_incoming,
    dedup_gone,
    dedup_work,
    dedup_round,
    dedup_round_band,
    dedup_sharing,
    dedup_neighbour,
    dedup_pair,
    dedup_verdict;
