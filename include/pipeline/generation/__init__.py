"""The tasks of the generation DAG, one module each, over the same shards as the ingestion."""
