"""Which columns each task of the DAGs reads and writes, as a table that tools and people read."""
