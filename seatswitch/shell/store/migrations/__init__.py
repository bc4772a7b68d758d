"""The history of the schema; alembic runs it when the row writer starts."""
