"""DHCP of a machine's NICs over the API, of messages that were seen."""

from hostloom.model.dhcp_exchange import DhcpMessage, MessageKind
from hostloom.model.ids import MacAddress
from support.server import Running


def test_observations_are_shown_by_nic(server: Running) -> None:
    mac = "52:54:00:00:aa:01"
    with server.http() as http:
        report = {"hostname": "web1", "macs": [mac]}
        assert http.post("/nodes", json=report).status_code == 201
        assert http.get("/machines/web1/dhcp").status_code == 404
    with server.ports.store.begin() as uow:
        uow.dhcp_messages.add([DhcpMessage(1.0, MessageKind.DISCOVER, MacAddress(mac), "eth0", 1)])
        uow.commit()
        assert [each.kind for each in uow.dhcp_messages.of([MacAddress(mac)])] == [MessageKind.DISCOVER]
