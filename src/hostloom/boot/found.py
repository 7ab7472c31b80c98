"""A commissioning report as it comes over HTTP, to what was found; nothing unknown or endless."""

import json
from dataclasses import replace
from typing import Any

import cattrs

from hostloom.boot.lldp import parse_frame
from hostloom.codec import from_json, to_json
from hostloom.model.commissioning import FoundHardware, FoundNic
from hostloom.model.errors import InvalidValue
from hostloom.model.ids import MacAddress

#: More of one kind is no machine but an attack.
MAX_PARTS = 256
MAX_TEXT = 255
MAX_DEPTH = 8
MAX_NUMBER = 2**53
#: As MAAS and Debian call them, by the name that a kernel has for them.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "i386", "ppc64le": "ppc64el"}


def parse_hardware(body: bytes) -> FoundHardware:
    """InvalidValue names the first field that is wrong; `lldp` of a NIC becomes its neighbour."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidValue("body", f"{len(body)} bytes", "a JSON document") from error
    if not isinstance(data, dict):
        raise InvalidValue("body", type(data).__name__, "an object of what was found")
    nics = _list(data.get("nics", []), "nics")
    data = data | {
        "nics": [_without_lldp(each) for each in nics],
        "disks": _list(data.get("disks", []), "disks"),
    }
    _check_plain(data, "body")
    try:
        found = from_json(data, FoundHardware)
    except (cattrs.BaseValidationError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidValue("body", _reason(error), "what a commissioning report has") from error
    _check_types(data, to_json(found), "body")
    frames = [each.get("lldp", "") for each in nics]
    own = tuple(_with_neighbour(nic, frame) for nic, frame in zip(found.nics, frames, strict=True))
    return _checked(replace(found, nics=own))


def _list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > MAX_PARTS or not all(isinstance(v, dict) for v in value):
        raise InvalidValue(field, str(value)[:40], f"a list of at most {MAX_PARTS} objects")
    return value


def _without_lldp(nic: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(nic.get("mac"), str):
        raise InvalidValue("nics.mac", nic.get("mac"), "a MAC address such as 52:54:00:12:34:56")
    kept = {name: value for name, value in nic.items() if name != "lldp"}
    return kept | {"mac": MacAddress.parse(nic["mac"], "nics.mac").text}


def _with_neighbour(nic: FoundNic, frame: Any) -> FoundNic:
    if not frame:
        return nic
    if not isinstance(frame, str) or nic.neighbour is not None:
        raise InvalidValue(
            "nics.lldp", str(frame)[:40], "the hex of an LLDP frame, and no neighbour beside it"
        )
    return replace(nic, neighbour=parse_frame(frame, "nics.lldp"))


def _check_plain(value: Any, field: str, depth: int = MAX_DEPTH) -> None:
    """Text of one line, numbers that are some, nothing that is endless."""
    if not depth:
        raise InvalidValue(field, "", f"at most {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        for name, each in value.items():
            _check_plain(each, name[:MAX_TEXT], depth - 1)
    elif isinstance(value, list):
        for each in value:
            _check_plain(each, field, depth - 1)
    elif isinstance(value, str):
        if len(value) > MAX_TEXT or not value.isprintable():
            raise InvalidValue(field, value[:40], f"at most {MAX_TEXT} printable characters")
    elif isinstance(value, int | float) and not 0 <= value <= MAX_NUMBER:
        raise InvalidValue(field, str(value)[:40], f"a number from 0 to {MAX_NUMBER}")


def _check_types(given: Any, taken: Any, field: str) -> None:
    """Refuse what was taken for another type than it came as: `"4"` is no number, `1` is not true."""
    if isinstance(given, dict) and isinstance(taken, dict):
        for name, each in given.items():
            _check_types(each, taken[name], name)
    elif isinstance(given, list) and isinstance(taken, list | tuple):
        for one, other in zip(given, taken, strict=True):
            _check_types(one, other, field)
    elif type(given) is not type(taken) and not (type(given) is int and type(taken) is float):
        raise InvalidValue(field, str(given)[:40], f"of type {type(taken).__name__}")


def _checked(found: FoundHardware) -> FoundHardware:
    if not found.cores or not found.memory_mib:
        raise InvalidValue("cores", found.cores, "at least one, with memory")
    if found.firmware not in ("bios", "uefi"):
        raise InvalidValue("firmware", found.firmware, "bios or uefi")
    if not found.nics or len({each.mac for each in found.nics}) < len(found.nics):
        raise InvalidValue("nics", [str(each.mac) for each in found.nics], "at least one, each MAC once")
    if len({each.name for each in found.nics}) < len(found.nics):
        raise InvalidValue("nics", [each.name for each in found.nics], "each name once")
    return replace(found, architecture=ARCHITECTURES.get(found.architecture, found.architecture))


def _reason(error: BaseException) -> str:
    """What cattrs says of the first wrong field, without the value."""
    if isinstance(error, cattrs.BaseValidationError):
        return cattrs.transform_error(error, "report")[0][:MAX_TEXT]
    return str(error)[:MAX_TEXT]
