"""The one script that reads a host, and how its answer is cut into parts."""

from hostloom.model.errors import HostRefused

#: Begins the line before each part.
MARK = "--hostloom--"
#: The last part: without it the answer was cut short.
END = "end"

_OVS = "ovs-vsctl --timeout=3 --format=json list"
#: Each part by its name: a POSIX shell command; what is missing on a host prints nothing.
PARTS = {
    "hostname": "uname -n",
    "ip": "command -v ip",
    "addr": "ip -j -d addr show",
    "route4": "ip -j -4 route show",
    "route6": "ip -j -6 route show",
    "speed": 'for d in /sys/class/net/*/; do d=${d%/}; echo "${d##*/} $(cat "$d/speed")"; done',
    "ovs-bridge": f"{_OVS} Bridge",
    "ovs-port": f"{_OVS} Port",
    "ovs-interface": f"{_OVS} Interface",
    END: ":",
}

# A login without a profile may lack the directories where `ip` and `ovs-vsctl` are. A part may end without a
# line feed, so every mark brings its own.
SCRIPT = "\n".join(
    [
        "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin",
        "export PATH",
        *(f"printf '\\n{MARK} {name}\\n'; {{ {command}; }} 2>/dev/null" for name, command in PARTS.items()),
    ]
)


def cut(text: str, host: str) -> dict[str, str]:
    """The parts by name; HostRefused if `ip` is missing or too old, without which nothing is known."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith(f"{MARK} "):
            current = parts.setdefault(line.removeprefix(f"{MARK} "), [])
        else:
            current.append(line)
    found = {name: "\n".join(lines).strip() for name, lines in parts.items()}
    if END not in found:
        raise HostRefused(host, "the script that reads its links broke off")
    if not found["ip"]:
        raise HostRefused(host, "there is no `ip` command: install iproute2 to let its links be read")
    if not found["addr"]:
        raise HostRefused(host, "`ip -j -d addr show` prints nothing: iproute2 5.0 or later is needed")
    return found
