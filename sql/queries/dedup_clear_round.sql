truncate
    dedup_round,
    dedup_round_band,
    dedup_sharing,
    dedup_neighbour,
    dedup_pair,
    dedup_verdict;
