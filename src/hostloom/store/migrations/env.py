"""Run the migrations on the connection that store/engine.py gives; it holds the lock and commits."""

from alembic import context

from hostloom.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
