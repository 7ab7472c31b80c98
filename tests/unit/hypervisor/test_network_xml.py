"""Networks as XML: our own, and the DHCP of others' taken out and put back."""

from hostloom.hypervisor import network_xml
from hostloom.hypervisor.xml_in import network, parse
from hostloom.model.host import Forward, LibvirtNetwork
from hostloom.model.network_fix import NetworkSpec

SPEC = NetworkSpec("aaaaaaaa-0000-4000-8000-000000000001", "maas", "br0")
DHCP = "<dhcp><range start='10.0.0.2' end='10.0.0.9'/>{host}</dhcp>"
HOST = "<host mac='52:54:00:00:00:01' name='a' ip='10.0.0.5'/>"
OTHERS = """
<network><name>others</name><bridge name='virbr0'/>
<ip address='10.0.0.1' netmask='255.255.255.0'>{first}</ip>
<ip family='ipv6' address='2001:db8::1' prefix='64'/></network>
"""


def test_ours_has_our_mark_and_is_read_as_it_was_meant() -> None:
    text = network_xml.network_xml(SPEC)
    assert network_xml.is_ours(text)
    assert network(text, active=True) == LibvirtNetwork(
        "maas", True, "br0", dhcp=False, forward=Forward.BRIDGE
    )
    assert parse(text).findtext("uuid") == SPEC.uuid
    assert parse(text).find("virtualport") is None


def test_an_open_vswitch_bridge_is_said_to_be_one() -> None:
    port = parse(network_xml.network_xml(NetworkSpec(SPEC.uuid, "maas", "br-ovs", ovs=True))).find(
        "virtualport"
    )
    assert port is not None
    assert port.get("type") == "openvswitch"


def test_anothers_is_not_ours() -> None:
    assert not network_xml.is_ours(OTHERS.format(first=""))


def test_dhcp_is_taken_out_and_put_back_address_by_address() -> None:
    whole = OTHERS.format(first=DHCP.format(host=HOST))
    texts = network_xml.dhcp_texts(whole)
    assert [bool(each) for each in texts] == [True, False]
    without = network_xml.with_dhcp(whole, ())
    assert network_xml.dhcp_texts(without) == ("", "")
    assert network_xml.dhcp_texts(network_xml.with_dhcp(without, texts)) == texts
    assert len(network_xml.parts(texts[0], "range")) == len(network_xml.parts(texts[0], "host")) == 1
    assert network_xml.parts("", "range") == []


def test_spaces_make_no_difference() -> None:
    spaced = DHCP.format(host=f"\n    {HOST}\n  ").replace("<dhcp>", "<dhcp>\n  ")
    tight = OTHERS.format(first=DHCP.format(host=HOST))
    assert network_xml.dhcp_texts(OTHERS.format(first=spaced)) == network_xml.dhcp_texts(tight)
