select ops.decide_review(
    %(item_id)s, %(seen)s, %(action)s, %(decided_by)s, %(reason)s, %(output)s, %(output_hash)s
) as state
