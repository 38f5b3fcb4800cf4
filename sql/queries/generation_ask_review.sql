select ops.ask_review(%(item_id)s, %(run_id)s, %(output_hash)s)
