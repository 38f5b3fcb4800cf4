"""The composition root: what each task of the ingestion does, for Airflow and local runs alike."""
