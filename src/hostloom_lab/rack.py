"""Runs Kea on the lab's rack."""

import json
import socket
from pathlib import Path

from hostloom_lab import machine
from hostloom_lab.commands import wait_until
from hostloom_lab.plan import LabPlan

#: Kea's AppArmor profile allows only the standard paths; the rack's mount namespace has its own ones there.
INIT = """\
#!/bin/sh
set -e
hostname {name}
mount --make-rprivate /
mount -t proc proc /proc
mkdir -p kea/run kea/lib kea/log kea/etc
mount --bind {directory} /mnt
for each in /run /var/lib /var/log; do mount -t tmpfs tmpfs $each; done
mkdir -p /var/lib/kea /var/log/kea /run/kea /run/lock {directory}
mount --move /mnt {directory}
mount --bind {directory}/kea/etc /etc/kea
mount --bind {directory}/kea/lib /var/lib/kea
mount --bind {directory}/kea/log /var/log/kea
mount --bind {directory}/kea/run /run/kea
exec /usr/sbin/kea-dhcp4 -c /etc/kea/kea-dhcp4.conf
"""
CONFIG = {
    "Dhcp4": {
        "interfaces-config": {"interfaces": [], "dhcp-socket-type": "raw"},
        "control-socket": {"socket-type": "unix", "socket-name": "/run/kea/kea4-ctrl-socket"},
        "lease-database": {"type": "memfile", "persist": True, "name": "/var/lib/kea/kea-leases4.csv"},
        "valid-lifetime": 600,
        "subnet4": [],
        "loggers": [
            {
                "name": "kea-dhcp4",
                "output_options": [{"output": "/var/log/kea/kea-dhcp4.log"}],
                "severity": "INFO",
            }
        ],
    }
}


def directory_of(plan: LabPlan) -> Path:
    """The directory of the rack's files."""
    return plan.directory / "rack"


def kea_socket(plan: LabPlan) -> Path:
    """The path of Kea's control socket on this machine."""
    return directory_of(plan) / "kea/run/kea4-ctrl-socket"


def start(plan: LabPlan) -> None:
    """Start the rack's services unless they run."""
    directory = directory_of(plan)
    if machine.is_running(directory):
        return
    (directory / "kea/etc").mkdir(parents=True, exist_ok=True)
    (directory / "kea/run").mkdir(parents=True, exist_ok=True)
    (directory / "kea/etc/kea-dhcp4.conf").write_text(json.dumps(CONFIG, indent=1))
    for stale in (directory / "kea/run").iterdir():
        stale.unlink()
    script = INIT.format(
        name=f"rack-{plan.name}",
        directory=directory,
    )
    machine.start(plan.rack, directory, script)


def wait(plan: LabPlan) -> None:
    """Return when Kea answers."""
    wait_until(lambda: answers(plan), "an answer of Kea", 20)


def answers(plan: LabPlan) -> bool:
    """Whether Kea answers on its control socket."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(kea_socket(plan)))
            connection.sendall(b'{"command": "version-get"}')
            return b'"result": 0' in connection.recv(65536)
    except OSError:
        return False
