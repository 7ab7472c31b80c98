"""Fabrics, VLANs, spaces, subnets and ranges as MAAS's clients make, read, change and delete them."""

import pytest

from hostloom.model.errors.outside import DhcpUnreachable
from support.maas import Maas
from support.server import Running


@pytest.fixture
def fabric(maas: Maas) -> int:
    return int(maas.post("fabrics/", name="physical")["id"])


def test_a_fabric_without_a_name_is_numbered_and_0_is_the_oldest(maas: Maas) -> None:
    first = maas.post("fabrics/")
    assert first["name"] == "fabric-0"
    assert maas.post("fabrics/", name="", description="x")["name"] == "fabric-1"
    assert maas.get("fabrics/0/")["id"] == first["id"]
    assert [each["name"] for each in maas.get("fabrics/")] == ["fabric-0", "fabric-1"]
    changed = maas.put(f"fabrics/{first['id']}/", class_type="10g")
    assert (changed["name"], changed["class_type"]) == ("fabric-0", "10g")
    assert maas.put(f"fabrics/{first['id']}/", class_type="")["class_type"] is None
    maas.delete(f"fabrics/{first['id']}/")
    taken = maas.send("POST", "fabrics/", {"name": "fabric-1"})
    assert (taken.status_code, list(taken.json())) == (400, ["name"])


def test_vlans_by_fabric_and_tag_or_by_id(maas: Maas, fabric: int) -> None:
    made = maas.post(f"fabrics/{fabric}/vlans/", vid=20, name="dmz", mtu=9000)
    assert made == {
        "vid": 20,
        "mtu": 9000,
        "dhcp_on": False,
        "external_dhcp": None,
        "relay_vlan": None,
        "primary_rack": None,
        "secondary_rack": None,
        "space": "undefined",
        "fabric_id": fabric,
        "fabric": "physical",
        "name": "dmz",
        "description": "",
        "id": made["id"],
        "resource_uri": f"/MAAS/api/2.0/vlans/{made['id']}/",
    }
    assert maas.get(f"fabrics/{fabric}/vlans/20/") == maas.get(f"vlans/{made['id']}/") == made
    untagged, tagged = maas.get(f"fabrics/{fabric}/vlans/")
    assert (untagged["name"], tagged) == ("untagged", made)
    assert maas.get("fabrics/")[0]["vlans"] == [untagged, made]
    maas.post("spaces/", name="outside")
    assert maas.put(f"vlans/{made['id']}/", space="outside")["space"] == "outside"
    assert maas.get("spaces/0/")["vlans"][0]["vid"] == 20
    assert maas.put(f"vlans/{made['id']}/", space="")["space"] == "undefined"
    for wrong in ({"vid": "4095"}, {"vid": "x"}, {}, {"vid": "20"}):
        assert maas.send("POST", f"fabrics/{fabric}/vlans/", wrong).status_code == 400, wrong
    assert maas.send("GET", f"fabrics/{fabric}/vlans/21/").status_code == 404
    assert maas.send("GET", "fabrics/99/vlans/0/").status_code == 404
    maas.delete(f"fabrics/{fabric}/vlans/20/")


def test_a_vlan_is_made_with_dhcp_or_not_at_all(server: Running, maas: Maas, fabric: int) -> None:
    path = f"fabrics/{fabric}/vlans/"
    assert maas.post(path, vid=20, dhcp_on="False", relay_vlan="")["dhcp_on"] is False
    assert maas.post(path, vid=21, dhcp_on="true", primary_rack="rack01")["dhcp_on"] is True
    server.dhcp.error = DhcpUnreachable("it is off")
    assert maas.send("POST", path, {"vid": "22", "dhcp_on": "true"}).status_code == 503
    assert maas.send("GET", f"{path}22/").status_code == 404


def test_dhcp_is_turned_on_relayed_and_off(server: Running, maas: Maas, fabric: int) -> None:
    vlan = maas.post(f"fabrics/{fabric}/vlans/", vid=20)
    other = maas.post(f"fabrics/{fabric}/vlans/", vid=30)
    on = maas.put(f"vlans/{vlan['id']}/", dhcp_on="True", primary_rack="rack01")
    assert (on["dhcp_on"], on["primary_rack"]) == (True, "rack01")
    # A change of something else leaves it on.
    assert maas.put(f"vlans/{vlan['id']}/", mtu=1400)["dhcp_on"] is True
    relayed = maas.put(f"vlans/{other['id']}/", relay_vlan=vlan["id"])
    assert relayed["relay_vlan"]["id"] == vlan["id"]
    assert maas.put(f"vlans/{other['id']}/", name="far")["relay_vlan"]["id"] == vlan["id"]
    assert maas.send("PUT", f"vlans/{vlan['id']}/", {"dhcp_on": "false"}).status_code == 409
    assert maas.put(f"vlans/{other['id']}/", relay_vlan="")["relay_vlan"] is None
    assert maas.put(f"vlans/{vlan['id']}/", dhcp_on="false")["dhcp_on"] is False
    wrong = maas.send("PUT", f"vlans/{vlan['id']}/", {"dhcp_on": "true", "primary_rack": "nobody"})
    assert (wrong.status_code, list(wrong.json())) == (400, ["primary_rack"])


def test_a_subnet_and_what_clients_keep_with_it(maas: Maas, fabric: int) -> None:
    vlan = maas.post(f"fabrics/{fabric}/vlans/", vid=20)
    made = maas.post(
        "subnets/",
        cidr="10.0.20.0/24",
        vlan=vlan["id"],
        gateway_ip="10.0.20.1",
        dns_servers="10.0.20.2 10.0.20.3",
        allow_proxy="false",
        rdns_mode=1,
    )
    assert made["vlan"] == maas.get(f"vlans/{vlan['id']}/")
    assert {name: made[name] for name in ("gateway_ip", "dns_servers", "managed", "space", "name")} == {
        "gateway_ip": "10.0.20.1",
        "dns_servers": ["10.0.20.2", "10.0.20.3"],
        "managed": True,
        "space": "undefined",
        "name": "10.0.20.0/24",
    }
    kept = ("allow_dns", "allow_proxy", "active_discovery", "rdns_mode", "disabled_boot_architectures")
    assert [made[name] for name in kept] == [True, False, False, 1, []]
    assert maas.get("subnets/10.0.20.0%2F24/") == made
    changed = maas.put(f"subnets/{made['id']}/", cidr="10.0.20.0/24", gateway_ip="", dns_servers="")
    assert (changed["gateway_ip"], changed["dns_servers"], changed["allow_proxy"]) == (None, [], False)
    assert maas.get("subnets/") == [changed]
    assert maas.post("subnets/", cidr="10.0.0.0/24")["vlan"]["vid"] == 0
    assert maas.post("subnets/", cidr="10.0.1.0/24", fabric="physical", vid=20)["vlan"]["vid"] == 20
    for wrong in ({"cidr": "10.0.20.7/24"}, {"cidr": "10.0.30.0/24", "gateway_ip": "x"}, {"vlan": 1}):
        assert maas.send("POST", "subnets/", wrong).status_code == 400, wrong
    assert maas.send("PUT", f"subnets/{made['id']}/", {"cidr": "10.9.0.0/24"}).status_code == 400
    maas.delete(f"subnets/{made['id']}/")
    assert maas.send("GET", f"subnets/{made['id']}/").status_code == 404
    again = maas.post("subnets/", cidr="10.0.20.0/24", vlan=vlan["id"])
    assert again["allow_proxy"] is True


def test_ranges_and_how_full_a_subnet_is(maas: Maas, fabric: int) -> None:
    subnet = maas.post("subnets/", cidr="10.0.0.0/24", fabric=fabric, gateway_ip="10.0.0.1")
    given = {"type": "dynamic", "start_ip": "10.0.0.100", "end_ip": "10.0.0.149"}
    leases = maas.post("ipranges/", subnet=str(subnet["id"]), comment="leases", **given)
    assert (leases["type"], leases["subnet"], leases["comment"]) == ("dynamic", subnet, "leases")
    aside = maas.post("ipranges/", type="reserved", start_ip="10.0.0.150", end_ip="10.0.0.159")
    assert aside["subnet"]["id"] == subnet["id"]
    path = f"subnets/{subnet['id']}/"
    assert maas.get(path, op="reserved_ip_ranges") == [
        {"start": "10.0.0.1", "end": "10.0.0.1", "num_addresses": 1, "purpose": ["gateway-ip"]},
        {"start": "10.0.0.100", "end": "10.0.0.149", "num_addresses": 50, "purpose": ["dynamic"]},
        {"start": "10.0.0.150", "end": "10.0.0.159", "num_addresses": 10, "purpose": ["reserved"]},
    ]
    assert maas.get(path, op="unreserved_ip_ranges") == [
        {"start": "10.0.0.2", "end": "10.0.0.99", "num_addresses": 98},
        {"start": "10.0.0.160", "end": "10.0.0.254", "num_addresses": 95},
    ]
    found = maas.get(path, op="statistics", include_ranges="true")
    assert (found["num_available"], found["num_unavailable"], found["total_addresses"]) == (193, 61, 254)
    assert (found["largest_available"], found["usage_string"], len(found["ranges"])) == (98, "24%", 5)
    assert maas.get(path, op="ip_addresses") == []
    assert (
        maas.put(f"ipranges/{aside['id']}/", end_ip="10.0.0.155", type="reserved")["end_ip"] == "10.0.0.155"
    )
    for wrong in ({"type": "dynamic"}, {"start_ip": "10.0.1.1"}, {"subnet": "77"}):
        assert maas.send("PUT", f"ipranges/{aside['id']}/", wrong).status_code == 400, wrong
    overlapping = given | {"type": "reserved"}
    assert maas.send("POST", "ipranges/", overlapping).status_code in (400, 409)
    maas.delete(f"ipranges/{leases['id']}/")
    assert [each["id"] for each in maas.get("ipranges/")] == [aside["id"]]


def test_zones_pools_domains_and_tags(maas: Maas) -> None:
    assert maas.get("zones/default/")["id"] == 1
    east = maas.post("zones/", name="east", description="there")
    assert east["resource_uri"] == "/MAAS/api/2.0/zones/east/"
    assert maas.put("zones/east/", name="west")["description"] == "there"
    maas.delete("zones/west/")
    pool = maas.post("resourcepools/", name="blue")
    assert maas.get(f"resourcepool/{pool['id']}") == pool
    assert maas.get("resourcepool/0/")["name"] == "default"
    maas.delete(f"resourcepool/{pool['id']}/")
    (default,) = maas.get("domains/")
    assert (default["is_default"], default["ttl"]) == (True, None)
    lab = maas.post("domains/", name="lab.example", ttl=60, authoritative="false")
    assert (lab["ttl"], lab["authoritative"], lab["is_default"]) == (60, False, False)
    assert maas.put(f"domains/{lab['id']}/", ttl=90)["ttl"] == 90
    maas.delete(f"domains/{lab['id']}/")
    tag = maas.post("tags/", name="fast", comment="ssd", kernel_opts="quiet")
    assert (tag["comment"], tag["kernel_opts"], tag["definition"]) == ("ssd", "quiet", "")
    assert maas.put("tags/fast/", comment="nvme")["kernel_opts"] == "quiet"
    assert maas.send("PUT", "tags/fast/", {"definition": "//node"}).status_code == 400
    maas.delete("tags/fast/")
    assert maas.send("DELETE", "zones/default/").status_code in (204, 409)


def test_who_is_no_administrator_is_told(server: Running) -> None:
    from support.maas import make_key
    from support.server import NOON

    plain = Maas(server.url, make_key(server.ports, "bob", admin=False), NOON)
    assert plain.get("users/", op="whoami")["is_superuser"] is False
    assert plain.get("fabrics/") == []
    assert plain.send("POST", "fabrics/", {"name": "x"}).status_code == 403
