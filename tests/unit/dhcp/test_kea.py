"""Kea's configuration, and what its control socket answers."""

import json
import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from hostloom.dhcp.config import KeaPaths, render
from hostloom.dhcp.driver import KeaDhcp
from hostloom.model.dhcp import DhcpIntent, DhcpReservation, DhcpSubnet
from hostloom.model.errors.outside import DhcpRejected, DhcpUnreachable
from hostloom.model.ids import MacAddress, RangeId, SubnetId
from hostloom.model.network import IPRange, RangeKind

MAC = MacAddress("52:54:00:00:00:01")
INTENT = DhcpIntent(
    (
        DhcpSubnet(
            SubnetId(7),
            ip_network("10.0.0.0/24"),
            "mgmt",
            (
                IPRange(
                    RangeId(1),
                    SubnetId(7),
                    RangeKind.DYNAMIC,
                    ip_address("10.0.0.100"),
                    ip_address("10.0.0.120"),
                ),
            ),
            ip_address("10.0.0.1"),
            (ip_address("10.0.0.53"),),
            1400,
            (DhcpReservation(MAC, ip_address("10.0.0.9"), "web"),),
            boot_url="http://10.0.0.1:5248/boot.ipxe",
        ),
        DhcpSubnet(SubnetId(8), ip_network("2001:db8::/64"), "mgmt", (), None, (), 1500, (), boot_url=""),
    )
)


def test_the_configuration() -> None:
    document = render(INTENT, KeaPaths())["Dhcp4"]
    assert document["interfaces-config"]["interfaces"] == ["mgmt"]
    (subnet,) = document["subnet4"]
    assert subnet["id"] == 7
    assert subnet["subnet"] == "10.0.0.0/24"
    assert subnet["pools"] == [{"pool": "10.0.0.100 - 10.0.0.120"}]
    (reservation,) = subnet["reservations"]
    assert reservation["hw-address"] == str(MAC)
    assert reservation["ip-address"] == "10.0.0.9"
    options = {each["name"]: each["data"] for each in subnet["option-data"]}
    assert options["routers"] == "10.0.0.1"
    assert options["domain-name-servers"] == "10.0.0.53"
    assert options["interface-mtu"] == "1400"
    assert "http://10.0.0.1:5248/boot.ipxe" in json.dumps(document)
    assert json.dumps(render(INTENT, KeaPaths())) == json.dumps(render(INTENT, KeaPaths()))


class FakeKea:
    """A control socket that answers as told, and remembers what it was asked."""

    def __init__(self, path: Path) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(5)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                text = b""
                while True:
                    text += connection.recv(65536)
                    try:
                        command = json.loads(text)
                        break
                    except ValueError:
                        continue
                self.asked.append(command)
                answer = self.answers.get(command["command"], {"result": 0})
                connection.sendall(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def kea(tmp_path: Path) -> Iterator[FakeKea]:
    server = FakeKea(tmp_path / "kea")
    yield server
    server.close()


def commands(kea: FakeKea) -> list[str]:
    return [each["command"] for each in kea.asked]


def test_apply_tests_before_it_sets(kea: FakeKea, tmp_path: Path) -> None:
    KeaDhcp(tmp_path / "kea").apply(INTENT)
    order = [each for each in commands(kea) if each in ("config-test", "config-set")]
    assert order == ["config-test", "config-set"]


def test_a_rejected_configuration_is_not_set_and_keas_words_are_kept(kea: FakeKea, tmp_path: Path) -> None:
    kea.answers["config-test"] = {"result": 1, "text": "subnet is odd"}
    with pytest.raises(DhcpRejected, match="subnet is odd"):
        KeaDhcp(tmp_path / "kea").apply(INTENT)
    assert "config-set" not in commands(kea)


class At:
    """A clock that stands."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        return self._at


def lease(ip: str, mac: str, state: int = 0) -> dict[str, Any]:
    return {
        "ip-address": ip,
        "hw-address": mac,
        "hostname": "",
        "subnet-id": 7,
        "cltt": 100,
        "valid-lft": 50,
        "state": state,
    }


def test_leases_of_machines_that_are_gone_are_deleted(kea: FakeKea, tmp_path: Path) -> None:
    kea.answers["lease4-get-all"] = {
        "result": 0,
        "arguments": {
            "leases": [
                lease("10.0.0.9", "52:54:00:00:00:99"),  # reserved for another by now
                lease("10.0.0.50", "52:54:00:00:00:98"),  # in no pool and not reserved
                lease("10.0.0.110", "52:54:00:00:00:97"),  # in the pool: whoever it is
            ]
        },
    }
    KeaDhcp(tmp_path / "kea").apply(INTENT)
    deleted = [each["arguments"]["ip-address"] for each in kea.asked if each["command"] == "lease4-del"]
    assert sorted(deleted) == ["10.0.0.50", "10.0.0.9"]


def test_leases_are_read_while_they_last(kea: FakeKea, tmp_path: Path) -> None:
    kea.answers["lease4-get-all"] = {"result": 0, "arguments": {"leases": [lease("10.0.0.110", str(MAC))]}}
    (found,) = KeaDhcp(tmp_path / "kea", clock=At(149.0)).leases()
    assert (found.ip, found.mac, found.expires_at) == (ip_address("10.0.0.110"), MAC, 150.0)
    assert list(KeaDhcp(tmp_path / "kea", clock=At(150.0)).leases()) == []
    kea.answers["lease4-get-all"] = {"result": 3, "text": "0 lease(s) found."}
    assert list(KeaDhcp(tmp_path / "kea").leases()) == []


def test_a_server_that_is_not_there_or_talks_nonsense(kea: FakeKea, tmp_path: Path) -> None:
    with pytest.raises(DhcpUnreachable):
        KeaDhcp(tmp_path / "nothing").apply(INTENT)
    assert not KeaDhcp(tmp_path / "nothing").is_alive()
    assert KeaDhcp(tmp_path / "kea").is_alive()
    kea.answers["config-test"] = b"nonsense"
    with pytest.raises(DhcpUnreachable):
        KeaDhcp(tmp_path / "kea").apply(INTENT)
