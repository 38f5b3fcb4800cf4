"""What the warehouse holds, defined once for Postgres, BigQuery and the data dictionary."""
