"""Nouns and verbs as scripts have called them for years."""

from hostloom.compat.maas2.describe import describe
from hostloom.compat.maas2.handlers.resources import CATALOGUE
from maas_cli.described import noun_name, nouns_of

#: Handlers, and what scripts call them.
NAMES = {
    "AccountHandler": "account",
    "AnonVersionHandler": "version",
    "BlockDevicesHandler": "block-devices",
    "BootResourcesHandler": "boot-resources",
    "DNSResourceHandler": "dnsresource",
    "IPAddressesHandler": "ipaddresses",
    "IPRangeHandler": "iprange",
    "MaasHandler": "maas",
    "PodHandler": "pod",
    "RackControllersHandler": "rack-controllers",
    "ResourcePoolHandler": "resource-pool",
    "StaticRoutesHandler": "static-routes",
    "VirtualMachinesHandler": "virtual-machines",
    "VlansHandler": "vlans",
    "VmHostsHandler": "vm-hosts",
}


def test_nouns() -> None:
    assert {name: noun_name(name) for name in NAMES} == NAMES


def test_everything_that_the_server_offers_is_a_command() -> None:
    nouns = nouns_of(describe(CATALOGUE, "http://x"))
    assert set(NAMES.values()) <= set(nouns)
    assert len(nouns) == len(CATALOGUE.resources)
    for resource in CATALOGUE.resources:
        verbs = nouns[noun_name(resource.name)].verbs
        assert len(verbs) == len(resource.actions)
        for action in resource.actions.values():
            verb = verbs[action.name.replace("_", "-")]
            assert (verb.method, verb.op) == (action.method, action.op)
            assert verb.places == tuple(resource.params)
            assert set(verb.params) == {each.name for each in action.params}
