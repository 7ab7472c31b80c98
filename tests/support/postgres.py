"""A private PostgreSQL server for a test run, and a fresh database for every test that wants one."""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from hostloom.store.engine import open_store

TEMPLATE = "hostloom_template"
_BIN_GLOB = "/usr/lib/postgresql/*/bin"
_numbers = itertools.count(1)


class PostgresServer:
    """A running server; `url` is that of its maintenance database, without the database's name."""

    def __init__(self, url: str) -> None:
        self.url = url
        with contextlib.suppress(psycopg.errors.InvalidCatalogName):
            self._run(f"DROP DATABASE {TEMPLATE}")
        self._run(f"CREATE DATABASE {TEMPLATE}")
        open_store(self.database_url(TEMPLATE)).close()

    def database_url(self, name: str) -> str:
        """SQLAlchemy's URL of a database."""
        return self.url.replace("postgresql://", "postgresql+psycopg://", 1).replace("/?", f"/{name}?", 1)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a migrated, empty database that is dropped afterwards."""
        name = f"hostloom_test_{os.getpid()}_{next(_numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        try:
            yield self.database_url(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url.replace("/?", "/postgres?", 1), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """The server that HOSTLOOM_TEST_POSTGRES names (`postgresql://USER@HOST/?`), or one of our own."""
    if url := os.environ.get("HOSTLOOM_TEST_POSTGRES"):
        yield PostgresServer(url if "/?" in url else f"{url.rstrip('/')}/?")
        return
    with tempfile.TemporaryDirectory(prefix="hostloom-pg-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        root.chmod(0o700)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(root, account.pw_uid, account.pw_gid)
        with _server(root):
            yield PostgresServer(f"postgresql:///?host={root}&user=postgres")


@contextlib.contextmanager
def _server(root: Path) -> Iterator[None]:
    data = root / "data"
    _as_postgres(
        "initdb", "--no-sync", "-A", "trust", "-U", "postgres", "--locale=C", "-E", "UTF8", "-D", data
    )
    options = (
        f"-c listen_addresses='' -c unix_socket_directories={root} -c shared_buffers=32MB "
        "-c max_connections=100 -c fsync=off -c autovacuum=off"
    )
    _as_postgres("pg_ctl", "-D", data, "-w", "-l", root / "log", "-o", options, "start")
    try:
        yield
    finally:
        _as_postgres("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _as_postgres(program: str, *arguments: str | Path) -> None:
    """Run one of PostgreSQL's programs, which refuse to run as root."""
    command: list[str | Path] = [find_program(program), *arguments]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command]
    done = subprocess.run(
        command, cwd="/", text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60
    )
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.stderr}")


def find_program(name: str) -> Path:
    """One of PostgreSQL's programs: of the newest version that Debian installed, or in PATH."""
    folders = sorted(Path("/").glob(_BIN_GLOB.lstrip("/")), key=lambda each: float(each.parent.name))
    for folder in reversed(folders):
        if (folder / name).exists():
            return folder / name
    if found := shutil.which(name):
        return Path(found)
    raise RuntimeError(f"{name} is not installed: apt install postgresql, or set HOSTLOOM_TEST_POSTGRES")
