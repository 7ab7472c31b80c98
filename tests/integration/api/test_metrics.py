"""What monitors read."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hostloom.api import monitoring
from hostloom.model.dhcp_exchange import ForeignDhcp, VlanProbe
from hostloom.model.errors.outside import DhcpUnreachable
from hostloom.model.ids import MacAddress
from support.server import Running, running


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading is a new one."""
    monkeypatch.setattr(monitoring, "KEEP_S", 0.0)


def read(server: Running) -> dict[str, dict[str, float]]:
    with server.http() as http:
        answer = http.get("http://hostloom/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        family.name: {",".join(each.labels.values()): each.value for each in family.samples}
        for family in text_string_to_metric_families(answer.text)
    }


def test_others_dhcp_by_vlan(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        with server.http() as http:
            assert http.post("/fabrics", json={"name": "f"}).status_code == 201
        assert read(server)["hostloom_foreign_dhcp_servers"]["f/0"] == 0
        with server.ports.store.begin() as uow:
            fabric = uow.fabrics.find("f")
            assert fabric is not None
            vlan = uow.vlans.find_by_vid(fabric.id, 0)
            assert vlan is not None
            found = [
                ForeignDhcp(
                    vlan.id,
                    ip_address(f"10.0.0.{n}"),
                    MacAddress(f"02:00:00:00:00:{n}"),
                    *(None, None, "eth0 of rack", 1, 1),
                )
                for n in (66, 67)
            ]
            uow.vlan_probes.record(VlanProbe(vlan.id, 1, "eth0 of rack", None), found)
            uow.commit()
        assert read(server)["hostloom_foreign_dhcp_servers"]["f/0"] == 2


def test_whether_each_racks_server_answers(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        with server.ports.store.begin() as uow:
            (rack,) = uow.racks.list()
        assert read(server)["hostloom_dhcp_up"][rack.name] == 1
        server.dhcp.error = DhcpUnreachable("it is gone")
        assert read(server)["hostloom_dhcp_up"][rack.name] == 0
