"""Compiled SQL, shared by all databases of a test run: each test opens its own, with the same statements."""

from typing import Any

from sqlalchemy import Connection, Engine, event


class SharedStatements(dict[Any, Any]):
    """SQLAlchemy's cache of compiled statements, whose keys begin with the dialect of one engine."""

    def get(self, key: Any, default: Any = None) -> Any:
        """Look a statement up, whichever engine compiled it."""
        return super().get(_key(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_key(key), compiled)


def _key(key: Any) -> Any:
    dialect, *rest = key
    return (dialect.name, dialect.driver, dialect.server_version_info, *rest)


def share_statements() -> None:
    """Give one cache to every connection that is made from now on."""
    statements = SharedStatements()

    @event.listens_for(Engine, "engine_connect")
    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=statements)
