"""What the product runs on: the embedded Postgres, Airflow's processes, secrets and ports."""
