"""A private PostgreSQL server for a test run, and a fresh database for every test that wants one."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from hostloom.store.engine import open_store

TEMPLATE = "hostloom_template"
START_TIMEOUT_S = 30.0
NEEDED_BYTES = 512 * 2**20
_BIN_GLOB = "/usr/lib/postgresql/*/bin"
_numbers = itertools.count(1)


class PostgresServer:
    """A running server; `url` is that of its maintenance database, without the database's name."""

    def __init__(self, url: str, process: "_Process | None" = None) -> None:
        self.url, self._process = url, process
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

    def stop(self) -> None:
        """Let a server of our own end at once, as in a crash."""
        assert self._process is not None, "it is not ours"
        self._process.stop()

    def start(self) -> None:
        """Start it again."""
        assert self._process is not None, "it is not ours"
        self._process.start()

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url.replace("/?", "/postgres?", 1), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def running_postgres(*, own: bool = False) -> Iterator[PostgresServer]:
    """The server that HOSTLOOM_TEST_POSTGRES names (`postgresql://USER@HOST/?`), or one of our own."""
    url = os.environ.get("HOSTLOOM_TEST_POSTGRES")
    if url and not own:
        yield PostgresServer(url if "/?" in url else f"{url.rstrip('/')}/?")
        return
    with tempfile.TemporaryDirectory(
        prefix="hostloom-pg-", dir=_quick_folder(), ignore_cleanup_errors=True
    ) as folder:
        root = Path(folder)
        root.chmod(0o700)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(root, account.pw_uid, account.pw_gid)
        _make_cluster(root)
        process = _Process(root)
        process.start()
        try:
            yield PostgresServer(f"postgresql:///?host={root}&user=postgres", process)
        finally:
            process.stop()


def _quick_folder() -> Path | None:
    """Memory, where there is enough: a new database is a copy of 300 files."""
    memory = Path("/dev/shm")  # noqa: S108  (a private folder is made in it)
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free > NEEDED_BYTES
    return memory if is_roomy else None


def _make_cluster(root: Path) -> None:
    """Run initdb."""
    how = ("--no-sync", "--auth=trust", "--username=postgres", "--locale=C", "--encoding=UTF8")
    done = subprocess.run(
        _command("initdb", *how, "-D", root / "data"), cwd="/", text=True, timeout=60, capture_output=True
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


class _Process:
    """The server's process; the kernel stops it when this process dies, however it dies."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self._root,
            "shared_buffers": "32MB",
            "max_connections": 100,
            "fsync": "off",
            "autovacuum": "off",
            "dynamic_shared_memory_type": "mmap",  # in its own folder, so that nothing is left elsewhere
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._root / "log").open("a") as log:
            argv = _command("postgres", "-D", self._root / "data", *options)
            self._server = subprocess.Popen(argv, cwd="/", stderr=log)
        _wait_until_ready(self._root, self._server)

    def stop(self) -> None:
        """End it at once."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(30)
            self._server = None


def _wait_until_ready(root: Path, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(f"postgresql:///postgres?host={root}&user=postgres").close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {(root / 'log').read_text()}") from error
            time.sleep(0.05)
        else:
            return


def _command(program: str, *arguments: str | Path) -> list[str | Path]:
    """How to run one of PostgreSQL's programs, which refuse to run as root."""
    account = ("--reuid=postgres", "--regid=postgres", "--init-groups") if os.geteuid() == 0 else ()
    return ["setpriv", *account, "--pdeathsig", "QUIT", "--", find_program(program), *arguments]


def find_program(name: str) -> Path:
    """One of PostgreSQL's programs: of the newest version that Debian installed, or in PATH."""
    folders = sorted(Path("/").glob(_BIN_GLOB.lstrip("/")), key=lambda each: float(each.parent.name))
    for folder in reversed(folders):
        if (folder / name).exists():
            return folder / name
    if found := shutil.which(name):
        return Path(found)
    raise RuntimeError(f"{name} is not installed: apt install postgresql, or set HOSTLOOM_TEST_POSTGRES")
