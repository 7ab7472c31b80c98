"""Names and addresses of a lab."""

from ipaddress import IPv4Network

import pytest

from hostloom_lab.errors import LabError
from hostloom_lab.plan import HOST_NICS, MAX_LABS, SEGMENTS, default_subnets, make_plan

SUBNET = IPv4Network("198.18.0.0/16")


def test_segments_lie_in_the_subnet_and_do_not_overlap() -> None:
    plan = make_plan("lab", SUBNET, 3)
    networks = [plan.segment(name) for name in SEGMENTS]
    networks.append(plan.root_address.network)
    assert all(network.subnet_of(SUBNET) for network in networks)
    assert not any(a.overlaps(b) for a in networks for b in networks if a is not b)
    assert all(plan.rack_address(name) in plan.segment(name) for name in SEGMENTS)
    assert set(HOST_NICS.values()) == set(SEGMENTS)


def test_hosts_differ_in_everything() -> None:
    hosts = make_plan("lab", SUBNET, 20).hosts
    assert len({host.address for host in hosts}) == 20
    assert len({host.uuid for host in hosts}) == 20
    assert len({host.mac(nic) for host in hosts for nic in range(4)}) == 80
    assert {host.address.network for host in hosts} == {make_plan("lab", SUBNET, 0).segment("mgmt")}


def test_names_of_interfaces_fit() -> None:
    plan = make_plan("abcdefgh", SUBNET, 20)
    assert len(plan.link) <= 15
    assert all(len(f"{host.name}-{nic}") <= 15 for host in plan.hosts for nic in HOST_NICS)


def test_the_default_subnets_are_for_benchmarks_and_then_of_providers() -> None:
    subnets = [str(subnet) for subnet in default_subnets()]
    assert subnets[:3] == ["198.18.0.0/16", "198.19.0.0/16", "100.120.0.0/16"]
    assert len(subnets) > MAX_LABS


@pytest.mark.parametrize(
    ("name", "subnet", "hosts"),
    [
        ("Lab", "198.18.0.0/16", 1),
        ("", "198.18.0.0/16", 1),
        ("toolongname", "198.18.0.0/16", 1),
        ("lab", "198.18.0.0/24", 1),
        ("lab", "198.18.0.0/16", 21),
        ("lab", "198.18.0.0/16", -1),
    ],
)
def test_bad_input_is_named(name: str, subnet: str, hosts: int) -> None:
    with pytest.raises(LabError):
        make_plan(name, IPv4Network(subnet), hosts)
