import os
import subprocess
import threading
from pathlib import Path

import pytest

from hostloom.hostscan.commands import SCRIPT
from hostloom.hostscan.parse import parse
from hostloom.hostscan.scan import HostScan
from hostloom.model.errors.outside import HostNotScannable, HostUnreadable
from hostloom.model.node import InterfaceKind
from hostloom.remote.connection import Remotes
from support.sshd import Sshd


def test_a_remote_scan_sees_what_a_local_one_sees(pinned: Sshd, remotes: Remotes) -> None:
    scan = HostScan(remotes)
    local, remote = scan.scan("qemu:///system"), scan.scan(pinned.uri)
    assert local.hostname == remote.hostname == os.uname().nodename
    # Other links of this machine may come and go meanwhile.
    assert [each for each in remote.links if each.name == "lo"] == [
        each for each in local.links if each.name == "lo"
    ]
    (loopback,) = (each for each in remote.links if each.name == "lo")
    assert (loopback.kind, loopback.mac, loopback.enabled) == (InterfaceKind.LOOPBACK, None, True)


def test_a_scan_is_one_round_trip(pinned: Sshd, remotes: Remotes) -> None:
    HostScan(remotes).scan(pinned.uri)
    log = (pinned.directory / "sshd.log").read_text()
    assert log.count("Accepted publickey") == 1


@pytest.mark.parametrize(
    "uri",
    [
        "qemu+tls://h/system",
        "qemu+unix:///system?socket=/run/x",
        "test:///default",
        "test+unix:///x?socket=/y",
    ],
)
def test_uris_that_give_no_way_to_the_links(remotes: Remotes, uri: str) -> None:
    with pytest.raises(HostNotScannable) as caught:
        HostScan(remotes).scan(uri)
    assert caught.value.uri == uri


def test_a_host_without_ip(tmp_path: Path) -> None:
    """The real script where only a few programs are."""
    for program in ("sh", "uname", "printf", "cat"):
        (tmp_path / program).symlink_to(Path("/bin") / program)
    script = SCRIPT.replace("PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin", f"PATH={tmp_path}")
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    with pytest.raises(HostUnreadable, match="install iproute2"):
        parse(done.stdout, "kvm1")


def test_scans_at_the_same_time(pinned: Sshd, remotes: Remotes) -> None:
    scan, found = HostScan(remotes), []
    threads = [threading.Thread(target=lambda: found.append(scan.scan(pinned.uri))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 5
