"""Run the migrations on the connection that store/engine.py gives; it holds the lock and commits."""

from alembic import context

from hostloom.store import wire_tables

context.configure(
    connection=context.config.attributes["connection"], target_metadata=wire_tables.racks.metadata
)
context.run_migrations()
