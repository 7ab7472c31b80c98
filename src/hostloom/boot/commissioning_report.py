"""Validates a commissioning report that arrived over HTTP."""

from dataclasses import replace
from typing import Any

import cattrs

from hostloom.boot.lldp import parse_frame
from hostloom.boot.report_values import MAX_TEXT, check_text, parse_object, type_name
from hostloom.model.commissioning import FoundHardware, FoundNic
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress
from hostloom.serialization import from_json, to_json

#: Limits per report, which no real machine exceeds.
MAX_PARTS = 256
MAX_DEPTH = 8
MAX_NUMBER = 2**53
#: Architecture names of MAAS and Debian by the kernel's name.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "i386", "ppc64le": "ppc64el"}


def parse_hardware(body: bytes) -> FoundHardware:
    """Parse a report. InvalidValue names the first invalid field; `lldp` of a NIC becomes its neighbour."""
    data = parse_object(body)
    nics = _list(data.get("nics", []), "nics")
    data = data | {
        "nics": [_without_lldp(nic) for nic in nics],
        "disks": _list(data.get("disks", []), "disks"),
    }
    _check_plain(data, "body")
    try:
        found_hardware = from_json(data, FoundHardware)
    except (cattrs.BaseValidationError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidValue("body", None, f"is not a commissioning report: {_reason(error)}") from error
    _check_types(data, to_json(found_hardware), "body")
    frames = [nic.get("lldp", "") for nic in nics]
    found_nics = tuple(
        _with_neighbour(nic, frame) for nic, frame in zip(found_hardware.nics, frames, strict=True)
    )
    return _checked(replace(found_hardware, nics=found_nics))


def _list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > MAX_PARTS or not all(isinstance(v, dict) for v in value):
        raise InvalidValue(field, str(value)[:40], f"is not a list of at most {MAX_PARTS} objects")
    return value


def _without_lldp(nic: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(nic.get("mac"), str):
        raise InvalidValue(
            "nics.mac", nic.get("mac"), "is not a MAC address", "write it like 52:54:00:12:34:56"
        )
    fields = {name: value for name, value in nic.items() if name != "lldp"}
    return fields | {"mac": MacAddress.parse(nic["mac"], "nics.mac").text}


def _with_neighbour(nic: FoundNic, frame: Any) -> FoundNic:
    if not frame:
        return nic
    if not isinstance(frame, str) or nic.neighbour is not None:
        raise InvalidValue(
            "nics.lldp",
            str(frame)[:40],
            "is not hexadecimal text, or comes with a neighbour",
            "send the LLDP frame in hexadecimal, without a neighbour",
        )
    return replace(nic, neighbour=parse_frame(frame, "nics.lldp"))


def _check_plain(value: Any, field: str, depth: int = MAX_DEPTH) -> None:
    """Limit texts to one line, numbers to a finite range, and the nesting depth."""
    if not depth:
        raise InvalidValue(field, None, "is nested too deeply", f"send at most {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for name, item in value.items():
            _check_plain(item, name[:MAX_TEXT], depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item, field, depth - 1)
    elif isinstance(value, str):
        check_text(value, field)
    elif isinstance(value, int | float) and not 0 <= value <= MAX_NUMBER:
        raise InvalidValue(field, str(value)[:40], "is out of range", f"send a number from 0 to {MAX_NUMBER}")


def _check_types(value: Any, parsed: Any, field: str) -> None:
    """Refuse values that were converted to another type: `"4"` is not a number, `1` is not true."""
    if isinstance(value, dict) and isinstance(parsed, dict):
        for name, item in value.items():
            _check_types(item, parsed[name], name)
    elif isinstance(value, list) and isinstance(parsed, list | tuple):
        for item, parsed_item in zip(value, parsed, strict=True):
            _check_types(item, parsed_item, field)
    elif type(value) is not type(parsed) and not (type(value) is int and type(parsed) is float):
        raise InvalidValue(field, str(value)[:40], "has the wrong type", f"send {type_name(parsed)}")


def _checked(hardware: FoundHardware) -> FoundHardware:
    for name in ("cores", "memory_mib"):
        if not getattr(hardware, name):
            raise InvalidValue(name, 0, "is too low", "send at least 1")
    if hardware.firmware not in ("bios", "uefi"):
        raise InvalidValue("firmware", hardware.firmware, "is unknown", "send bios or uefi")
    if not hardware.nics:
        raise InvalidValue("nics", None, "is empty", "send at least one NIC")
    if len({nic.mac for nic in hardware.nics}) < len(hardware.nics):
        raise InvalidValue(
            "nics", [nic.mac for nic in hardware.nics], "repeat a MAC address", "send each NIC once"
        )
    if len({nic.name for nic in hardware.nics}) < len(hardware.nics):
        raise InvalidValue(
            "nics", [nic.name for nic in hardware.nics], "repeat a name", "give each NIC its own name"
        )
    return replace(hardware, architecture=ARCHITECTURES.get(hardware.architecture, hardware.architecture))


def _reason(error: BaseException) -> str:
    """The message of cattrs about the first invalid field, without the value."""
    if isinstance(error, cattrs.BaseValidationError):
        return cattrs.transform_error(error, "report")[0][:MAX_TEXT]
    return str(error)[:MAX_TEXT]
