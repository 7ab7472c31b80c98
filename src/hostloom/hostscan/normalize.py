"""Normalizes the output of `ip` for the parser; fields of an unexpected type are left out."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_interface
from typing import Any

from hostloom.model.finding import Findings

#: Limits for one host; further items are left out.
MAX_LINKS, MAX_ADDRESSES, MAX_ROUTES = 10_000, 1000, 10_000
#: Limits of the kernel.
NAME_BYTES, MAX_MTU = 15, 2**31 - 1
_TEXTS = ("link_type", "address", "permaddr", "operstate")
_NAMES = ("master", "link")
_INFO_TEXTS = ("info_kind", "info_slave_kind")
_INFO_TABLES = ("info_data", "info_slave_data")


def is_name(value: object) -> bool:
    """Whether it is a valid name of a link: printable, no blanks, at most 15 bytes."""
    if not isinstance(value, str) or not value.isprintable() or " " in value or "/" in value:
        return False
    return 0 < len(value.encode()) <= NAME_BYTES


def shape_links(objects: Iterable[dict[str, Any]], findings: Findings) -> dict[str, dict[str, Any]]:
    """The links by name."""
    links: dict[str, dict[str, Any]] = {}
    left_out = 0
    for link in objects:
        if "ifname" not in link:
            # Some versions of `ip` print empty objects for links that a filter excluded.
            continue
        name = link["ifname"]
        if not is_name(name):
            findings.add(f"link {name}", f"a printable name of at most {NAME_BYTES} bytes", name)
        elif len(links) < MAX_LINKS or name in links:
            links[name] = _Shape(f"link {name}", findings).link(link)
        else:
            left_out += 1
    if left_out:
        findings.add("links", f"at most {MAX_LINKS}", f"{left_out} more, which are left out")
    return links


class _Shape:
    """The parts of one link."""

    def __init__(self, part: str, findings: Findings) -> None:
        self._part, self._findings = part, findings

    def link(self, link: dict[str, Any]) -> dict[str, Any]:
        shaped = self._texts(link, _TEXTS)
        for key in _NAMES:
            if key in shaped and not is_name(shaped[key]):
                self._leave_out(shaped, key, "the name of a link")
        if "mtu" in shaped and not _is_number(shaped["mtu"], MAX_MTU):
            self._leave_out(shaped, "mtu", "a number of bytes")
        flags = shaped.get("flags", [])
        if not isinstance(flags, list) or not all(isinstance(flag, str) for flag in flags):
            self._leave_out(shaped, "flags", "a list of words")
        shaped["linkinfo"] = self._info(shaped)
        shaped["addr_info"] = self._addresses(shaped)
        return shaped

    def _texts(self, table: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
        shaped = dict(table)
        for key in keys:
            if key in shaped and not isinstance(shaped[key], str):
                self._leave_out(shaped, key, "text")
        return shaped

    def _info(self, link: dict[str, Any]) -> dict[str, Any]:
        info = link.get("linkinfo", {})
        if not isinstance(info, dict):
            self._leave_out(link, "linkinfo", "an object")
            return {}
        shaped = self._texts(info, _INFO_TEXTS)
        for key in _INFO_TABLES:
            if key in shaped and not isinstance(shaped[key], dict):
                self._leave_out(shaped, key, "an object")
        return shaped

    def _addresses(self, link: dict[str, Any]) -> list[dict[str, Any]]:
        entries = link.get("addr_info", [])
        if not isinstance(entries, list):
            self._leave_out(link, "addr_info", "a list of addresses")
            return []
        if len(entries) > MAX_ADDRESSES:
            self._findings.add(self._part, f"at most {MAX_ADDRESSES} addresses", f"{len(entries)}")
        return [entry for entry in entries[:MAX_ADDRESSES] if self._is_address(entry)]

    def _is_address(self, entry: Any) -> bool:
        if isinstance(entry, dict) and "local" not in entry:
            return True
        with self._findings.reading(self._part, "addresses with a prefix length"):
            ip_interface(f"{entry['local']}/{int(entry['prefixlen'])}")
            return True
        return False

    def _leave_out(self, table: dict[str, Any], key: str, expected: str) -> None:
        self._findings.add(self._part, f"{key}: {expected}", table.pop(key))


def _is_number(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
