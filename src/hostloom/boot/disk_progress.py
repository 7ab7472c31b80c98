"""Requests and reports of a bare machine that writes its disk (images/guest/deploy.sh)."""

from pathlib import Path
from typing import Protocol

from hostloom.boot.report_values import check_fields, check_text, parse_object
from hostloom.model.deployment import DeployStep, DiskProgress
from hostloom.model.errors.values import InvalidValue

MAX_BYTES = 2**60
MAX_LINES = 100
_FIELDS = frozenset({"step", "done_bytes", "total_bytes", "is_done", "failure", "output"})
_STEPS = (
    DeployStep.IMAGE,
    DeployStep.SEED,
    DeployStep.WRITE,
    DeployStep.VERIFY,
    DeployStep.BOOT,
    DeployStep.ERASE,
)


class DiskCalls(Protocol):
    """Callbacks about a machine that writes its disk, by its token and address; ReportRefused.

    Each may block, and runs in a thread. The machine reaches this server under `base_url`.
    """

    def orders(self, secret: str, seen_from: str, base_url: str) -> str:
        """What the machine does, as lines of `key=value`; the last one is `end=orders`."""
        ...

    def seed(self, secret: str, seen_from: str, base_url: str) -> bytes:
        """The file system with the configuration for cloud-init."""
        ...

    def stream(self, secret: str, seen_from: str) -> Path:
        """The compressed image."""
        ...

    def take_progress(self, secret: str, seen_from: str, progress: DiskProgress) -> None:
        """How far the machine is."""
        ...


def parse_disk_progress(body: bytes) -> DiskProgress:
    """Parse the JSON; InvalidValue names the first invalid field."""
    document = parse_object(body)
    check_fields(document, _FIELDS)
    if document.get("step") not in _STEPS:
        raise InvalidValue("step", str(document.get("step"))[:40], "is unknown", f"send {', '.join(_STEPS)}")
    is_done, output = document.get("is_done", False), document.get("output", [])
    if not isinstance(is_done, bool):
        raise InvalidValue("is_done", str(is_done)[:40], "has the wrong type", "send true or false")
    if not isinstance(output, list) or len(output) > MAX_LINES:
        raise InvalidValue("output", None, f"is not a list of at most {MAX_LINES} lines")
    return DiskProgress(
        DeployStep(document["step"]),
        _number(document, "done_bytes"),
        _number(document, "total_bytes"),
        is_done,
        _text(document.get("failure", ""), "failure"),
        tuple(_text(line, "output") for line in output),
    )


def _number(document: dict[str, object], name: str) -> int:
    number = document.get(name, 0)
    if type(number) is not int or not 0 <= number <= MAX_BYTES:
        raise InvalidValue(name, str(number)[:40], "is no number of bytes", f"send 0 to {MAX_BYTES}")
    return number


def _text(text: object, name: str) -> str:
    if not isinstance(text, str):
        raise InvalidValue(name, str(text)[:40], "has the wrong type", "send text")
    return check_text(text, name)
