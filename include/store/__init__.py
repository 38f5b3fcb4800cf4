"""Everything that touches Postgres: connections, migrations and repositories over ``sql/``."""
