"""The Kea that hostloom starts: it runs in its own namespaces, and is restarted when it dies."""

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostloom.dhcp.control import ControlSocket
from hostloom.dhcp.embedded import EmbeddedKea
from hostloom.dhcp.supervision import RestartPolicy
from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from support.dhcp_intents import WEB, a_reservation, a_subnet, a_subnet6, an_intent
from support.waiting import wait_until

pytestmark = pytest.mark.lab

QUICK = RestartPolicy(first_s=0.1, longest_s=0.2, well_after_s=1.0)
#: Nothing listens on the test's own wires.
INTENT = an_intent(
    a_subnet(a_reservation(WEB, "10.77.10.50"), interface=None),
    a_subnet6(a_reservation(WEB, "2001:db8:77:10::50"), interface=None),
)


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not pytest's: the path of a socket is at most 107 bytes long.
    with tempfile.TemporaryDirectory(prefix="hostloom-kea-") as name:
        yield Path(name)


@pytest.fixture
def kea(directory: Path) -> Iterator[EmbeddedKea]:
    kea = EmbeddedKea(directory, QUICK)
    kea.start()
    yield kea
    kea.stop()


def serves(directory: Path, version: int) -> list[str]:
    """The subnets in the configuration that runs."""
    running = ControlSocket(directory / f"run/kea{version}-ctrl-socket").command("config-get")
    return [each["subnet"] for each in running[f"Dhcp{version}"][f"subnet{version}"]]


def test_it_serves_both_families_from_our_own_directory(kea: EmbeddedKea, directory: Path) -> None:
    kea.apply(INTENT)
    assert (serves(directory, 4), serves(directory, 6)) == (["10.77.10.0/24"], ["2001:db8:77:10::/64"])
    assert {each.name for each in (directory / "log").glob("*.log")} == {"kea-dhcp4.log", "kea-dhcp6.log"}
    assert list((directory / "lib").glob("kea-leases4.csv*"))


def test_the_machines_own_kea_is_not_touched(kea: EmbeddedKea, directory: Path) -> None:
    before = sorted(Path("/etc/kea").iterdir())
    kea.apply(INTENT)
    assert sorted(Path("/etc/kea").iterdir()) == before
    for standard in ("/run/kea/kea4-ctrl-socket", "/run/kea/kea6-ctrl-socket"):
        assert not Path(standard).exists()
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(directory) not in mounts


@pytest.mark.parametrize("version", [4, 6])
def test_a_killed_server_comes_back_serving_what_it_served(
    kea: EmbeddedKea, directory: Path, version: int
) -> None:
    time.sleep(QUICK.well_after_s)
    kea.apply(INTENT)
    before, pid = kea.pulse(), kea.pids[version]
    assert pid is not None
    served = serves(directory, version)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: kea.pids[version] not in (None, pid) and kea.is_alive(), "Kea runs again")
    assert serves(directory, version) == served
    assert kea.pulse().processes != before.processes


def test_a_rejected_configuration_leaves_the_running_one_and_the_one_it_starts_with(
    kea: EmbeddedKea, directory: Path
) -> None:
    kea.apply(INTENT)
    with pytest.raises(DhcpRejected, match="eth9"):
        kea.apply(an_intent(a_subnet(interface="eth9")))
    assert serves(directory, 4) == ["10.77.10.0/24"]
    assert "eth9" not in (directory / "etc/kea-dhcp4.conf").read_text()


def test_a_configuration_that_kea_cannot_start_with_is_reported_and_dropped(directory: Path) -> None:
    (directory / "etc").mkdir()
    (directory / "etc/kea-dhcp4.conf").write_text('{"Dhcp4": {"colour": "red"}}')
    kea = EmbeddedKea(directory, RestartPolicy(first_s=1.0, well_after_s=1.0))
    kea.start()
    try:
        wait_until(lambda: "colour" in _words(kea) or kea.is_alive(), "the error is reported")
        wait_until(kea.is_alive, "Kea runs again")
        assert json.loads((directory / "etc/kea-dhcp4.conf").read_text())["Dhcp4"]["subnet4"] == []
        kea.apply(INTENT)
    finally:
        kea.stop()


def _words(kea: EmbeddedKea) -> str:
    try:
        kea.pulse()
    except DhcpUnreachable as error:
        return str(error)
    return ""


def test_nothing_is_left_when_it_is_stopped(directory: Path) -> None:
    kea = EmbeddedKea(directory, QUICK)
    kea.start()
    pids = list(kea.pids.values())
    kea.stop()
    assert None not in pids
    for pid in pids:
        assert not Path(f"/proc/{pid}").exists()
    assert not kea.is_alive()
    with pytest.raises(DhcpUnreachable):
        kea.apply(INTENT)
