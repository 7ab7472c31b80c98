"""The script that reads a host, and the code that splits its output into parts."""

import shlex

from hostloom.model.errors.outside import HostUnreadable
from hostloom.model.finding import Findings

#: Start of the line before each part.
MARK = "--hostloom--"
#: The last part; if it is missing, the output is incomplete.
END = "end"
#: Limits of one part in seconds and bytes, enforced on the host and here.
PART_S, PART_BYTES = 6, 4 << 20

_OVS = "ovs-vsctl --timeout=3 --format=json list"
#: POSIX shell commands by part; a command that is missing on a host prints nothing.
PARTS = {
    "hostname": "uname -n",
    "ip": "command -v ip",
    "addr": "ip -j -d addr show",
    "route4": "ip -j -4 route show",
    "route6": "ip -j -6 route show",
    "speed": 'for d in /sys/class/net/*/; do d=${d%/}; echo "${d##*/} $(cat "$d/speed")"; done',
    # Wi-Fi NICs; the last line shows that the script looked for them.
    "wireless": 'for d in /sys/class/net/*/; do d=${d%/}; if [ -e "$d/wireless" ] || [ -e "$d/phy80211" ]; '
    'then echo "${d##*/}"; fi; done; echo .',
    "bridge-vlan": "bridge -compressvlans -j vlan show",
    "ovs-bridge": f"{_OVS} Bridge",
    "ovs-port": f"{_OVS} Port",
    "ovs-interface": f"{_OVS} Interface",
    END: ":",
}

# A login without a profile may lack the directories of `ip` and `ovs-vsctl` in its PATH. Every mark starts
# with a line feed, because a part may end without one. `timeout` and `head`, if they exist, stop a part that
# hangs or prints endlessly, so that the other parts still run.
SCRIPT = "\n".join(
    [
        "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin",
        "export PATH",
        f'if command -v timeout >/dev/null; then w="timeout {PART_S}"; else w=; fi',
        f'if command -v head >/dev/null; then h="head -c {PART_BYTES}"; else h=cat; fi',
        *(
            f"printf '\\n{MARK} {name}\\n'; $w sh -c {shlex.quote(command)} 2>/dev/null | $h"
            for name, command in PARTS.items()
        ),
    ]
)


def cut(text: str, host: str, findings: Findings) -> dict[str, str]:
    """The parts by name; HostUnreadable if the part with the links is missing."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.split("\n"):
        if line.startswith(f"{MARK} "):
            current = parts.setdefault(line.removeprefix(f"{MARK} ").strip(), [])
        else:
            current.append(line)
    output_by_part = {name: "\n".join(lines).strip() for name, lines in parts.items()}
    if output_by_part.get("ip") == "":
        raise HostUnreadable(host, "links", "there is no `ip` command: install iproute2 to let them be read")
    if "addr" not in output_by_part or (END not in output_by_part and list(output_by_part)[-1] == "addr"):
        raise HostUnreadable(host, "links", "the answer of the script that reads them broke off")
    if not output_by_part["addr"]:
        needed = "iproute2 5.0 or later is needed"
        raise HostUnreadable(host, "links", f"`ip -j -d addr show` prints nothing: {needed}")
    if END not in output_by_part:
        findings.add("the answer to the scan", f"a last line `{MARK} {END}`", "an answer that breaks off")
    for name, part in output_by_part.items():
        if len(part) >= PART_BYTES - 1:
            expected = f"less than {PART_BYTES} bytes"
            findings.add(f"the scan's part {name}", expected, "more, which was cut off")
            output_by_part[name] = part[:PART_BYTES]
    return output_by_part
