"""Alembic's way in. `backend.core.migrate` opens the connection and makes the database's roles first."""

from alembic import context

from backend.core.migrate import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata(), compare_type=True, compare_server_default=True
)
with context.begin_transaction():
    context.run_migrations()
