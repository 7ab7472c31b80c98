"""The API's nouns with the types of their answers.

Made from docs/reference/openapi.json by tests/support/client_types.py: do not edit.
"""

from typing import Any, cast

from hostloom.client import answers
from hostloom.client.collection import Collection
from hostloom.client.transport import Document


class Addresses(Collection[answers.Address, answers.Address, answers.Address, answers.Address]):
    """`/api/v1/addresses`."""


class Apikeys(Collection[answers.ApiKey, answers.ApiKey, answers.NewApiKey, answers.ApiKey]):
    """`/api/v1/apikeys`."""


class Domains(Collection[answers.Domain, answers.Domain, answers.Domain, answers.Domain]):
    """`/api/v1/domains`."""


class Events(Collection[answers.Event, answers.Event, answers.Event, answers.Event]):
    """`/api/v1/events`."""


class Fabrics(Collection[answers.Fabric, answers.Fabric, answers.Fabric, answers.Fabric]):
    """`/api/v1/fabrics`."""


class Hosts(Collection[answers.Host, answers.Host, answers.Operation, answers.Host]):
    """`/api/v1/hosts`."""

    def refresh(self, key: str) -> answers.Operation:
        """Re-read a host and record what changed."""
        return cast("answers.Operation", self.act(key, "refresh"))

    def get_scan(self, key: str, **query: Any) -> answers.Scan:
        """Read a host's links and show what a refresh would change; records nothing."""
        return cast("answers.Scan", self.ask(key, "scan", **query))

    def get_networks(self, key: str, **query: Any) -> answers.HostNetworks:
        """Show a host's libvirt networks with every condition that they fail, as the host was
        last read.
        """
        return cast("answers.HostNetworks", self.ask(key, "networks", **query))

    def fix_network(self, key: str, body: Document | None = None) -> answers.Operation | answers.Fix:
        """Turn libvirt's DHCP off and serve the VLAN, or make a network `maas`: previewed, or
        as an operation.
        """
        return cast("answers.Operation | answers.Fix", self.act(key, "fix-network", body))


class Images(Collection[answers.Image, answers.Image, answers.Operation, answers.Image]):
    """`/api/v1/images`."""


class Machines(Collection[answers.Machine, answers.MachineDetail, answers.Composing, answers.Machine]):
    """`/api/v1/machines`."""

    def get_dhcp(self, key: str, **query: Any) -> answers.DhcpTimeline:
        """Show what was seen of a machine's DHCP on the wire, and why it stopped where it did."""
        return cast("answers.DhcpTimeline", self.ask(key, "dhcp", **query))

    def verify(self, key: str) -> answers.Operation:
        """Verify a machine on the wire; each NIC's `proof` is written."""
        return cast("answers.Operation", self.act(key, "verify"))

    def start(self, key: str) -> answers.Machine:
        """Power a machine on."""
        return cast("answers.Machine", self.act(key, "start"))

    def stop(self, key: str, body: Document | None = None) -> answers.Machine:
        """Ask a machine to shut down, or cut its power."""
        return cast("answers.Machine", self.act(key, "stop", body))

    def get_power(self, key: str, **query: Any) -> answers.Power:
        """Ask the machine's host whether the machine runs now."""
        return cast("answers.Power", self.ask(key, "power", **query))

    def set_autostart(self, key: str, body: Document | None = None) -> answers.Machine:
        """Let a machine start whenever its host starts, or not."""
        return cast("answers.Machine", self.act(key, "autostart", body, method="PUT"))

    def get_console_log(self, key: str, **query: Any) -> answers.Console:
        """Show the end of the serial console's log."""
        return cast("answers.Console", self.ask(key, "console-log", **query))

    def get_why(self, key: str, **query: Any) -> answers.Why:
        """Show the explanation that a machine was placed by."""
        return cast("answers.Why", self.ask(key, "why", **query))

    def set_next_boot(self, key: str, body: Document | None = None) -> answers.Machine:
        """Say what a machine boots from the network next; `default`: what its state says."""
        return cast("answers.Machine", self.act(key, "next-boot", body, method="PUT"))

    def commission(self, key: str) -> answers.Operation:
        """Have a machine boot the commissioning environment and report what it is."""
        return cast("answers.Operation", self.act(key, "commission"))

    def cancel_commission(self, key: str) -> answers.Machine:
        """Wait no longer for a report: an enlisted machine is new again, a composed one is
        ready.
        """
        return cast("answers.Machine", self.act(key, "commission", method="DELETE"))

    def forget(self, key: str) -> Document:
        """Remove the record of an enlisted machine, or of an adopted one that is gone from its
        host.
        """
        return self.act(key, "forget")

    def release(self, key: str) -> answers.Release:
        """Give an allocated machine back; one that was composed on demand is taken apart by the
        operation.
        """
        return cast("answers.Release", self.act(key, "release"))

    def lock(self, key: str, body: Document | None = None) -> answers.Machine:
        """Keep a machine from being changed, switched off or taken apart."""
        return cast("answers.Machine", self.act(key, "lock", body))

    def unlock(self, key: str, body: Document | None = None) -> answers.Machine:
        """Let a locked machine be changed again."""
        return cast("answers.Machine", self.act(key, "unlock", body))


class Nodes(Collection[answers.Node, answers.Node, answers.Node, answers.Node]):
    """`/api/v1/nodes`."""

    def update_interface(self, key: str, interface: str, body: Document | None = None) -> answers.Node:
        """Say what cannot be seen of an interface; answers with its node."""
        return cast("answers.Node", self.act(key, f"interfaces/{interface}", body, method="PATCH"))


class Operations(Collection[answers.Operation, answers.Operation, answers.Operation, answers.Operation]):
    """`/api/v1/operations`."""

    def cancel(self, key: str) -> answers.Operation:
        """Ask an operation to stop after its step, and to undo what it did."""
        return cast("answers.Operation", self.act(key, "cancel"))

    def retry(self, key: str) -> answers.Operation:
        """Try what a stuck operation could not undo again."""
        return cast("answers.Operation", self.act(key, "retry"))


class Plans(Collection[answers.KeptPlan, answers.PlanDetail, answers.PlanDetail, answers.PlanDetail]):
    """`/api/v1/plans`."""

    def compose(self, key: str) -> answers.Composing:
        """Compose exactly what was planned; refused, with every difference, when that is out of
        date.
        """
        return cast("answers.Composing", self.act(key, "compose"))


class Racks(Collection[answers.Rack, answers.Rack, answers.Rack, answers.Rack]):
    """`/api/v1/racks`."""

    def get_status(self, key: str, **query: Any) -> answers.RackStatus:
        """What its DHCP server says of itself now."""
        return cast("answers.RackStatus", self.ask(key, "status", **query))

    def get_config(self, key: str, **query: Any) -> Document:
        """The configuration that its DHCP server runs, a document a family."""
        return self.ask(key, "config", **query)

    def get_leases(self, key: str, **query: Any) -> answers.Leases:
        """Its leases that are valid now, and who has them."""
        return cast("answers.Leases", self.ask(key, "leases", **query))


class Ranges(Collection[answers.Range, answers.Range, answers.Range, answers.Range]):
    """`/api/v1/ranges`."""


class ResourcePools(Collection[answers.Group, answers.Group, answers.Group, answers.Group]):
    """`/api/v1/resource-pools`."""


class Spaces(Collection[answers.Space, answers.Space, answers.Space, answers.Space]):
    """`/api/v1/spaces`."""


class StoragePools(
    Collection[
        answers.StoragePoolOfHost,
        answers.StoragePoolOfHost,
        answers.StoragePoolOfHost,
        answers.StoragePoolOfHost,
    ]
):
    """`/api/v1/storage-pools`."""


class Subnets(Collection[answers.Subnet, answers.Subnet, answers.Subnet, answers.Subnet]):
    """`/api/v1/subnets`."""


class Tags(Collection[answers.Tag, answers.Tag, answers.Tag, answers.Tag]):
    """`/api/v1/tags`."""


class Tokens(Collection[answers.Token, answers.Token, answers.NewToken, answers.Token]):
    """`/api/v1/tokens`."""


class Users(Collection[answers.User, answers.User, answers.User, answers.User]):
    """`/api/v1/users`."""


class Vlans(Collection[answers.Vlan, answers.Vlan, answers.Vlan, answers.Vlan]):
    """`/api/v1/vlans`."""

    def get_probe(self, key: str, **query: Any) -> answers.Probe:
        """Show who was found to serve DHCP on a VLAN the last time that it was asked."""
        return cast("answers.Probe", self.ask(key, "probe", **query))

    def probe(self, key: str) -> answers.Probe:
        """Ask a VLAN now who serves DHCP there; it takes about ten seconds."""
        return cast("answers.Probe", self.act(key, "probe"))

    def set_dhcp(self, key: str, body: Document | None = None) -> answers.Vlan:
        """Serve a VLAN with our DHCP, or not, or through another VLAN's rack."""
        return cast("answers.Vlan", self.act(key, "dhcp", body, method="PUT"))


class Zones(Collection[answers.Group, answers.Group, answers.Group, answers.Group]):
    """`/api/v1/zones`."""
