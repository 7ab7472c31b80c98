"""The one script that reads a host, and how its answer is cut into parts."""

from hostloom.model.errors import HostRefused

#: Begins the line before each part.
MARK = "--hostloom--"

#: Each part by its name: a POSIX shell command; what is missing on a host prints nothing.
PARTS = {
    "hostname": "hostname",
    "addr": "ip -j -d addr show",
    "route4": "ip -j -4 route show",
    "route6": "ip -j -6 route show",
    "speed": 'for d in /sys/class/net/*; do echo "${d##*/} $(cat "$d/speed" 2>/dev/null || echo 0)"; done',
    "ovs-bridge": "command -v ovs-vsctl >/dev/null && ovs-vsctl --timeout=3 --format=json list Bridge",
    "ovs-port": "command -v ovs-vsctl >/dev/null && ovs-vsctl --timeout=3 --format=json list Port",
    "ovs-interface": "command -v ovs-vsctl >/dev/null && ovs-vsctl --timeout=3 --format=json list Interface",
}

SCRIPT = "\n".join(f"echo '{MARK} {name}'; {{ {command}; }} 2>/dev/null" for name, command in PARTS.items())


def cut(text: str, host: str) -> dict[str, str]:
    """The parts by name; HostRefused if `ip` is missing, without which nothing is known."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith(f"{MARK} "):
            current = parts.setdefault(line.removeprefix(f"{MARK} "), [])
        else:
            current.append(line)
    found = {name: "\n".join(lines).strip() for name, lines in parts.items()}
    if not found.get("addr"):
        raise HostRefused(host, "`ip -j -d addr show` prints nothing there: iproute2 5.0 or later is needed")
    return found
