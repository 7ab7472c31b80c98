"""A network that runs, with a guest on it, under a real libvirtd: its DHCP goes and the guest's tap stays."""

import re
from collections.abc import Iterator

import libvirt
import pytest

from hostloom.hypervisor.hypervisors import LibvirtHypervisors
from hostloom.hypervisor.xml_in import parse
from hostloom.model.errors.outside import HypervisorRejected
from support.libvirtd import Libvirtd

pytestmark = pytest.mark.lab

DHCP = """
<dhcp><range start='192.168.177.2' end='192.168.177.100'/>
<range start='192.168.177.150' end='192.168.177.160'><lease expiry='2' unit='hours'/></range>
<host mac='52:54:00:00:00:01' name='a' ip='192.168.177.5'/>
<host mac='52:54:00:00:00:02' name='b' ip='192.168.177.6'/>{more}</dhcp>
"""
NETWORK = """
<network><name>live</name><forward mode='route'/><bridge name='virbr77'/>
<ip address='192.168.177.1' netmask='255.255.255.0'>{dhcp}</ip>
<ip family='ipv6' address='2001:db8:77::1' prefix='64'>
<dhcp><range start='2001:db8:77::100' end='2001:db8:77::1ff'/></dhcp></ip></network>
"""
GUEST = """
<domain type='qemu'><name>runs</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os>
<devices><interface type='network'><source network='live'/></interface></devices></domain>
"""


@pytest.fixture
def outside(libvirtd: Libvirtd) -> Iterator[libvirt.virConnect]:
    connection = libvirt.open(libvirtd.qemu_uri)
    yield connection
    for domain in connection.listAllDomains():
        domain.destroy()
    for network in connection.listAllNetworks():
        if network.name() == "live":
            network.destroy()
            network.undefine()
    connection.close()


def texts(network: libvirt.virNetwork) -> tuple[str, str]:
    """As it runs, without libvirt's count of guests (which its updates lose), and as it is kept."""
    running = re.sub(" connections='[0-9]+'", "", network.XMLDesc())
    return running, network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE)


def tap(domain: libvirt.virDomain) -> str | None:
    target = parse(domain.XMLDesc()).find("devices/interface/target")
    return None if target is None else target.get("dev")


def test_a_running_guest_keeps_its_tap_and_everything_comes_back(
    libvirtd: Libvirtd, outside: libvirt.virConnect
) -> None:
    network = outside.networkDefineXML(NETWORK.format(dhcp=DHCP.format(more="")))
    network.create()
    guest = outside.createXML(GUEST)
    hypervisors = LibvirtHypervisors(libvirtd)
    hypervisor = hypervisors.of("kvm1", libvirtd.qemu_uri)
    was, on = texts(network), tap(guest)
    before = hypervisor.networks.dhcp("live")
    assert hypervisor.networks.leases("live") == []
    hypervisor.networks.stop_dhcp("live")
    assert "dhcp" not in "".join(texts(network))
    assert (tap(guest), guest.isActive()) == (on, 1)
    hypervisor.networks.restore_dhcp("live", before)
    assert texts(network) == was
    assert (tap(guest), guest.isActive()) == (on, 1)
    hypervisors.close()


def test_bootp_comes_back_where_it_is_kept(libvirtd: Libvirtd, outside: libvirt.virConnect) -> None:
    more = "<bootp file='pxe' server='192.168.177.1'/>"
    network = outside.networkDefineXML(NETWORK.format(dhcp=DHCP.format(more=more)))
    network.create()
    hypervisors = LibvirtHypervisors(libvirtd)
    hypervisor = hypervisors.of("kvm1", libvirtd.qemu_uri)
    was, before = texts(network), hypervisor.networks.dhcp("live")
    hypervisor.networks.stop_dhcp("live")
    hypervisor.networks.restore_dhcp("live", before)
    assert texts(network)[1] == was[1]
    assert "bootp" not in texts(network)[0]
    hypervisors.close()


def test_a_network_of_that_uuid_without_our_mark_stays(
    libvirtd: Libvirtd, outside: libvirt.virConnect
) -> None:
    network = outside.networkDefineXML(NETWORK.format(dhcp=""))
    network.create()
    hypervisors = LibvirtHypervisors(libvirtd)
    with pytest.raises(HypervisorRejected, match="hostloom did not make"):
        hypervisors.of("kvm1", libvirtd.qemu_uri).networks.delete(network.UUIDString())
    assert network.isActive()
    hypervisors.close()
