"""The tasks of the review DAG: rows are asked about, decisions are carried out, and published."""
