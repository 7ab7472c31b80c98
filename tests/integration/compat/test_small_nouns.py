"""Devices, addresses, routes, names, events, controllers, settings and images by MAAS's API."""

from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from support.maas import Maas
from support.server import NOON, Running


def test_devices(maas: Maas) -> None:
    maas.post("subnets/", cidr="10.1.0.0/24") if maas.get("fabrics/") else None
    maas.post("fabrics/", name="f")
    subnet = maas.post("subnets/", cidr="10.2.0.0/24", fabric="f", vid=0)
    made = maas.post("devices/", mac_addresses="52:54:00:00:aa:01", hostname="printer")
    path = f"devices/{made['system_id']}/"
    assert (made["node_type_name"], made["fqdn"].partition(".")[0]) == ("Device", "printer")
    assert maas.get(path) == made
    assert maas.get("devices/", mac_address="52:54:00:00:AA:01") == [made]
    assert maas.get("devices/", hostname="other") == []
    nic = made["interface_set"][0]
    address = f"nodes/{made['system_id']}/interfaces/{nic['id']}/"
    linked = maas.post(address, "link_subnet", mode="auto", subnet=subnet["id"])
    assert linked["links"][0]["ip_address"].startswith("10.2.0.")
    assert maas.get(path)["ip_addresses"] == [linked["links"][0]["ip_address"]]
    assert maas.get("dnsresources/", name="printer")[0]["ip_addresses"] == [
        {"ip": linked["links"][0]["ip_address"]}
    ]
    assert maas.put(path, hostname="scanner", description="3rd floor")["hostname"] == "scanner"
    assert maas.post(path, "set_owner_data", a="1")["owner_data"] == {"a": "1"}
    assert maas.send("POST", "devices/", {"mac_addresses": "52:54:00:00:aa:01"}).status_code == 400
    assert maas.send("POST", "devices/", {"hostname": "x"}).json() == {
        "mac_addresses": ["This field is required."]
    }
    maas.delete(path)
    assert maas.send("GET", path).status_code == 404
    assert maas.get(f"subnets/{subnet['id']}/", op="ip_addresses") == []


def test_addresses_are_set_aside_and_given_back(maas: Maas) -> None:
    maas.post("fabrics/", name="f")
    maas.post("subnets/", cidr="10.3.0.0/24", fabric="f", vid=0)
    first = maas.post("ipaddresses/", "reserve", subnet="10.3.0.0/24")
    named = maas.post("ipaddresses/", "reserve", ip="10.3.0.9")
    assert (named["ip"], named["alloc_type_name"]) == ("10.3.0.9", "User reserved")
    assert [each["ip"] for each in maas.get("ipaddresses/")] == [first["ip"], "10.3.0.9"]
    assert maas.send("POST", "ipaddresses/", {"ip": "10.3.0.9"}, op="reserve").status_code == 400
    assert maas.send("POST", "ipaddresses/", {"ip": "10.9.0.9"}, op="reserve").status_code == 400
    assert maas.send("POST", "ipaddresses/", {}, op="reserve").status_code == 400
    assert maas.send("POST", "ipaddresses/", {"ip": "10.3.0.8", "mac": "x"}, op="reserve").status_code == 400
    maas.post("ipaddresses/", "release", ip="10.3.0.9")
    assert maas.send("POST", "ipaddresses/", {"ip": "10.3.0.9"}, op="release").status_code == 404
    assert maas.get("ipaddresses/", ip="10.3.0.9") == []


def test_static_routes_are_kept(maas: Maas) -> None:
    maas.post("fabrics/", name="f")
    one = maas.post("subnets/", cidr="10.4.0.0/24", fabric="f", vid=0)
    two = maas.post("subnets/", cidr="10.5.0.0/24", fabric="f", vid=0)
    made = maas.post("static-routes/", source=one["id"], destination="10.5.0.0/24", gateway_ip="10.4.0.1")
    path = f"static-routes/{made['id']}/"
    assert (made["source"]["cidr"], made["destination"]["cidr"], made["metric"]) == (
        "10.4.0.0/24",
        "10.5.0.0/24",
        0,
    )
    assert maas.get("static-routes/") == [made] == [maas.get(path)]
    assert maas.put(path, metric=5)["metric"] == 5
    for fields, field in (
        ({"gateway_ip": "10.9.0.1"}, "gateway_ip"),
        ({"gateway_ip": "x"}, "gateway_ip"),
        ({"destination": str(one["id"])}, "destination"),
        ({"metric": "-1"}, "metric"),
    ):
        found = maas.send("PUT", path, fields)
        assert (found.status_code, list(found.json())) == (400, [field]), found.text
    assert maas.put(f"subnets/{one['id']}/", allow_proxy="false")["allow_proxy"] is False
    assert maas.get(path)["metric"] == 5
    maas.delete(f"subnets/{two['id']}/")
    assert maas.get("static-routes/") == []
    other = maas.post("subnets/", cidr="10.6.0.0/24", fabric="f", vid=0)
    made = maas.post("static-routes/", source=one["id"], destination=other["id"], gateway_ip="10.4.0.1")
    maas.delete(f"static-routes/{made['id']}/")
    assert maas.send("GET", f"static-routes/{made['id']}/").status_code == 404


def test_names_are_those_of_machines(maas: Maas) -> None:
    assert maas.get("dnsresources/") == []
    refused = maas.send("POST", "dnsresources/", {"fqdn": "a.b", "ip_addresses": "10.0.0.1"})
    assert (refused.status_code, "serves no DNS" in refused.text) == (409, True)


def test_tags_are_given_to_nodes(maas: Maas) -> None:
    maas.post("tags/", name="fast")
    made = maas.post("devices/", mac_addresses="52:54:00:00:aa:02", hostname="d")
    key = made["system_id"]
    assert maas.post("tags/fast/", "update_nodes", add=[key]) == {"added": 1, "removed": 0}
    assert maas.get(f"devices/{key}/")["tag_names"] == ["fast"]
    assert [each["system_id"] for each in maas.get("tags/fast/", op="nodes")] == [key]
    assert [each["system_id"] for each in maas.get("tags/fast/", op="devices")] == [key]
    assert maas.get("tags/fast/", op="machines") == maas.get("tags/fast/", op="rack_controllers") == []
    unknown = maas.send("POST", "tags/fast/", {"add": ["nobody"], "remove": [key]}, op="update_nodes")
    assert (unknown.status_code, list(unknown.json())) == (400, ["add"])
    assert maas.get(f"devices/{key}/")["tag_names"] == ["fast"]
    assert maas.post("tags/fast/", "update_nodes", remove=key) == {"added": 0, "removed": 1}


def test_controllers_and_nodes(maas: Maas) -> None:
    (rack,) = maas.get("rackcontrollers/")
    assert (rack["hostname"], rack["node_type_name"]) == ("rack", "Rack controller")
    assert maas.get(f"rackcontrollers/{rack['system_id']}/") == rack
    (region,) = maas.get("regioncontrollers/")
    assert region["resource_uri"] == f"/MAAS/api/2.0/regioncontrollers/{rack['system_id']}/"
    assert maas.send("GET", "rackcontrollers/nobody/").status_code == 404
    power = maas.get(f"rackcontrollers/{rack['system_id']}/", op="query_power_state")
    assert power == {"state": rack["power_state"]} == {"state": "unknown"}
    assert maas.send("GET", "rackcontrollers/nobody/", op="query_power_state").status_code == 404
    assert [each["hostname"] for each in maas.get("nodes/")] == ["rack"]
    assert maas.get(f"nodes/{rack['system_id']}/") == rack


def test_events_are_paged(server: Running, maas: Maas) -> None:
    host = EventSubject(EventSubjectKind.HOST, "1", "kvm1")
    rack = EventSubject(EventSubjectKind.NODE, "rack01", "rack")
    with server.ports.store.begin() as uow:
        uow.events.add(*(Event(EventKind.HOST_LOST, host, f"no answer {n}", NOON + n) for n in range(5)))
        uow.events.add(Event(EventKind.LEASE_GIVEN, rack, "10.0.0.9", NOON))
        uow.events.add(Event(EventKind.DRIFT_ENDED, rack, "as recorded", NOON))
        uow.commit()
    first = maas.get("events/", op="query", limit=2, level="WARNING")
    assert [each["description"] for each in first["events"]] == [
        "host kvm1: no answer 4",
        "host kvm1: no answer 3",
    ]
    assert first["events"][0]["created"] == "Fri, 15 Jan. 2027 08:00:04"
    second = maas.get(first["prev_uri"].removeprefix("/MAAS/api/2.0/"))
    assert [each["id"] for each in second["events"]] == [each["id"] - 2 for each in first["events"]]
    back = maas.get(second["next_uri"].removeprefix("/MAAS/api/2.0/"))
    assert back["events"] == first["events"]
    ended, given = maas.get("events/", op="query", hostname="rack")["events"]
    assert (given["node"], given["level"], given["type"]) == ("rack01", "INFO", "Lease given")
    assert (ended["level"], ended["type"]) == ("INFO", "Drift ended")
    assert first["events"][0]["level"] == "ERROR"
    assert len(maas.get("events/", op="query", level="ERROR")["events"]) == 5
    assert maas.get("events/", op="query", level="CRITICAL")["events"] == []
    for name, value in (("limit", "0"), ("level", "loud"), ("before", "x"), ("mac_address", "x")):
        assert maas.send("GET", "events/", op="query", **{name: value}).status_code == 400


def test_settings(maas: Maas) -> None:
    assert maas.get("maas/", op="get_config", name="default_osystem") == "ubuntu"
    assert maas.get("maas/", op="get_config", name="maas_name") == "hostloom"
    assert maas.send("GET", "maas/", op="get_config", name="moon").json().keys() == {"name"}
    assert maas.send("GET", "maas/", op="get_config").status_code == 400
    assert maas.post("maas/", "set_config", name="default_osystem", value="ubuntu") == "OK"
    assert maas.send("POST", "maas/", {"name": "theme", "value": "x"}, op="set_config").status_code == 409


def test_images_and_virtual_machines(maas: Maas) -> None:
    assert maas.get("boot-resources/", op="is_importing") is False
    for each in maas.get("boot-resources/"):
        assert maas.get(f"boot-resources/{each['id']}/") == each
    assert maas.send("POST", "boot-resources/", {}, op="import").status_code == 409
    assert maas.get("virtual-machines/") == maas.get("vm-clusters/") == []
    assert maas.send("GET", "virtual-machines/1").status_code == 404


def test_a_device_is_part_of_a_machine_as_long_as_that_is_there(maas: Maas) -> None:
    outer = maas.post("devices/", hostname="outer", mac_addresses="00:16:3e:00:00:01")["system_id"]
    inner = maas.post("devices/", hostname="inner", mac_addresses="00:16:3e:00:00:02", parent=outer)
    assert inner["parent"] == outer
    path = f"devices/{inner['system_id']}/"
    assert maas.put(path, description="a container")["parent"] == outer
    assert maas.put(path, parent="")["parent"] is None
    assert maas.put(path, parent=outer)["parent"] == outer
    refused = maas.send("PUT", path, {"parent": "nobody"})
    assert (refused.status_code, list(refused.json())) == (400, ["parent"])
    maas.delete(f"devices/{outer}/")
    assert maas.get(path)["parent"] is None
