"""What one compose with two NICs runs through, and which files a reader of a saga opens.

`PYTHONPATH=tests python -m support.compose_walk` prints files, functions and calls of hostloom, parses and
decisions. libvirt, SSH and Kea are fakes; client, API, service, worker and store are real. An earlier compose
warms the snapshot.
"""

import ast
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import hostloom
from hostloom.client.api import Client
from hostloom.client.transport import Target
from hostloom.decide.batch import decide_batch
from hostloom.decide.request import constraints, storage
from hostloom.model.host_uri import UriRules
from hostloom.model.operation import OperationState
from hostloom.sagas.worker import SAGAS, Worker
from hostloom.server.secret import FileSecrets
from support.little_world import little_world
from support.server import serving

SOURCE = Path(hostloom.__file__).parent
INTERFACES = "eth0:space=mgmt;eth1:name=eth1,mode=unconfigured"


@dataclass
class Walk:
    """Calls by code object."""

    calls: Counter[CodeType] = field(default_factory=Counter)

    @property
    def functions(self) -> list[CodeType]:
        """Those of hostloom."""
        return [code for code in self.calls if code.co_filename.startswith(f"{SOURCE}/")]

    @property
    def files(self) -> list[str]:
        """Files of hostloom in which a function ran."""
        return sorted({str(Path(code.co_filename).relative_to(SOURCE)) for code in self.functions})

    @property
    def total(self) -> int:
        """Calls of hostloom's functions."""
        return sum(self.calls[code] for code in self.functions)

    def count(self, function: Any) -> int:
        """Calls of one function."""
        return self.calls[function.__code__]

    @property
    def parses(self) -> int:
        """Times that the text of the interface constraints was parsed."""
        return self.count(constraints.parse)

    @property
    def storage_parses(self) -> int:
        """Times that the text of the storage constraints was parsed."""
        return self.count(storage.parse)

    @property
    def decisions(self) -> int:
        """Times that the machines were placed."""
        return self.count(decide_batch.decide_all)

    def __add__(self, other: "Walk") -> "Walk":
        return Walk(self.calls + other.calls)


class Recorder:
    """Counts the calls of all threads that begin after it, while it is told to."""

    def __init__(self) -> None:
        self.walk: Walk | None = None

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and self.walk is not None and frame.f_code.co_name != "<module>":
            self.walk.calls[frame.f_code] += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """In this thread and in those that it starts."""
        before = sys.getprofile()
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(before)
            threading.setprofile(None)

    @contextmanager
    def recording(self) -> Iterator[Walk]:
        """A walk of its own."""
        self.walk = walk = Walk()
        try:
            yield walk
        finally:
            self.walk = None


def walk_compose(directory: Path) -> tuple[Walk, Walk]:
    """The walk from the client to the answer 202, and the worker's walk from there to the machine."""
    world = little_world(directory)
    settings = replace(world.ports.settings, uris=UriRules(test_hosts=True))
    ports = replace(world.ports, secrets=FileSecrets(directory / "secret"), settings=settings)
    recorder = Recorder()
    worker = Worker(ports, "walk", threads=0)
    with recorder.listening(), serving(directory, ports), Client(Target(directory / "api.sock")) as client:
        _ask(client, "before")
        _work(worker)
        with recorder.recording() as request:
            _ask(client, "web")
        with recorder.recording() as saga:
            _work(worker)
    world.ports.store.close()
    return request, saga


def _ask(client: Client, name: str) -> None:
    client.machines.create({"hostname": name, "interfaces": INTERFACES, "storage": "root:8"})


def _work(worker: Worker) -> None:
    operation = worker.run_one()
    assert operation is not None
    assert operation.state is OperationState.SUCCEEDED, operation.error


def files_of_saga(name: str) -> list[str]:
    """The files that a reader of `sagas/NAME.py` opens.

    These are the modules of `sagas/` that it imports, directly or not, and the modules of other folders that
    these import. The nouns in `model/` are left out.
    """
    files, unread = set[str](), [f"sagas/{name}.py"]
    while unread:
        file = unread.pop()
        if file not in files and not file.startswith("model/"):
            files.add(file)
            if file.startswith("sagas/"):
                unread += _imported_files(SOURCE / file)
    return sorted(files)


def _imported_files(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("hostloom."):
            module = node.module.removeprefix("hostloom.").replace(".", "/")
            if (SOURCE / f"{module}.py").exists():
                yield f"{module}.py"
            else:
                yield from (f"{module}/{alias.name}.py" for alias in node.names)


def main() -> None:
    """Print the figures, the files by folder, and the number of files that a reader of each saga opens."""
    with tempfile.TemporaryDirectory() as directory:
        request, saga = walk_compose(Path(directory))
    both = request + saga
    for name, walk in (("client, API and service", request), ("worker", saga), ("both", both)):
        print(
            f"{name:24}  {len(walk.files):3} files  {len(walk.functions):4} functions  {walk.total:6} calls",
            f"{walk.parses} parses of interfaces  {walk.storage_parses} of storage",
            f"{walk.decisions} decisions",
            sep="  ",
        )
    folders = Counter(str(Path(name).parent) for name in both.files)
    print(", ".join(f"{folder} {count}" for folder, count in folders.most_common()))
    for name in both.files:
        print(" ", name)
    for saga in SAGAS:
        print(f"{len(files_of_saga(saga.replace('-', '_'))):3} files to read for the saga {saga}")


if __name__ == "__main__":
    main()
