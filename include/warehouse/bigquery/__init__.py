"""The copy of the warehouse in BigQuery: its tables, who reads which rows, and how it is loaded."""
