truncate dedup_round, dedup_round_band, dedup_pair, dedup_verdict;
