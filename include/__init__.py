"""Tidemark's library: everything the DAGs, the command line and the query service share."""
