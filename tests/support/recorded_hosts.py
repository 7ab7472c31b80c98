"""What recorded hosts (tests/fixtures/hostscan) answer to the scan's script."""

import json
from pathlib import Path

from hostloom.hostscan.commands import MARK

FIXTURES = Path(__file__).parents[1] / "fixtures" / "hostscan"
HOSTS = ("guests", "openvswitch", "plain", "rich")

_FILES = {
    "hostname": "hostname.txt",
    "addr": "ip-addr.json",
    "route4": "ip-route.json",
    "route6": "ip6-route.json",
    "ovs-bridge": "ovs-bridge.json",
    "ovs-port": "ovs-port.json",
    "ovs-interface": "ovs-interface.json",
}


def recorded_parts(host: str) -> dict[str, str]:
    """What each part of the script printed; empty where the host lacks the program."""
    files = {part: FIXTURES / host / name for part, name in _FILES.items()}
    parts = {part: file.read_text() if file.exists() else "" for part, file in files.items()}
    speeds = json.loads((FIXTURES / host / "speeds.json").read_text())
    lines = (f"{name} {'' if each['speed'] is None else each['speed']}" for name, each in speeds.items())
    return parts | {"speed": "\n".join(lines), "ip": "/usr/sbin/ip\n", "end": ""}


def printed(parts: dict[str, str]) -> str:
    """The answer as one text."""
    return "".join(f"\n{MARK} {name}\n{text}" for name, text in parts.items()) + "\n"
