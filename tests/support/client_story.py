"""A client of MAAS's API as a program of its own: told what to make by a line of JSON, it answers by one."""

import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
STORIES = ROOT / "tests/clients"
LIBMAAS = ROOT / ".clients/libmaas/bin/python"
#: Debian's Go libraries; neither modules nor a compiler of C are needed.
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "CGO_ENABLED": "0", "GOFLAGS": ""}
PATIENCE_S = 180.0


def build_gomaasapi(directory: Path) -> Path:
    """The story of gomaasapi, compiled with Debian's copy of the library."""
    program = directory / "gomaasapi"
    sources = [str(each) for each in sorted((STORIES / "gomaasapi").glob("*.go"))]
    done = subprocess.run(
        ["go", "build", "-o", str(program), *sources],
        env={**os.environ, **GO, "GOCACHE": str(directory / "go-cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return program


class Story:
    """A running client; it is ended by force when it takes too long, or when the test has ended."""

    def __init__(self, argv: Sequence[str], directory: Path) -> None:
        self._errors = directory / "client.stderr"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self._timer = threading.Timer(PATIENCE_S, self._process.kill)
        self._timer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.communicate()

    def tell(self, wish: Mapping[str, Any]) -> Any:
        """Send a line, and return the line that it answers with."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the client ended: {self._errors.read_text()[-3000:]}"
        return json.loads(line)
