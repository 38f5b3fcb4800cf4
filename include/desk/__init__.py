"""The page where people decide about flagged rows, to be mounted in Airflow's web server."""
