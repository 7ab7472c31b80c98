"""The API's nouns with the types of their answers.

Made from docs/reference/openapi.json by tests/support/client_types.py: do not edit.
"""

from typing import Any, cast

from hostloom.client import answers
from hostloom.client.transport import Collection, Document


class Addresses(Collection[answers.Address, answers.Address, answers.Address, answers.Address]):
    """`/api/v1/addresses`."""


class Apikeys(Collection[answers.ApiKey, answers.ApiKey, answers.NewApiKey, answers.ApiKey]):
    """`/api/v1/apikeys`."""


class DiskImages(Collection[answers.DiskImage, answers.DiskImage, answers.Operation, answers.DiskImage]):
    """`/api/v1/disk-images`."""


class Domains(Collection[answers.Domain, answers.Domain, answers.Domain, answers.Domain]):
    """`/api/v1/domains`."""


class Events(Collection[answers.Event, answers.Event, answers.Event, answers.Event]):
    """`/api/v1/events`."""


class Fabrics(Collection[answers.Fabric, answers.Fabric, answers.Fabric, answers.Fabric]):
    """`/api/v1/fabrics`."""


class Hosts(Collection[answers.Host, answers.Host, answers.Operation, answers.Host]):
    """`/api/v1/hosts`."""

    def refresh(self, key: str) -> answers.Operation:
        """`POST …/refresh`."""
        return cast("answers.Operation", self.act(key, "refresh"))

    def get_scan(self, key: str, **query: Any) -> answers.Scan:
        """`GET …/scan`."""
        return cast("answers.Scan", self.ask(key, "scan", **query))

    def get_adoption(self, key: str, **query: Any) -> answers.Adoption:
        """`GET …/adoption`."""
        return cast("answers.Adoption", self.ask(key, "adoption", **query))

    def get_networks(self, key: str, **query: Any) -> answers.HostNetworks:
        """`GET …/networks`."""
        return cast("answers.HostNetworks", self.ask(key, "networks", **query))

    def fix_network(self, key: str, body: Document | None = None) -> answers.Operation | answers.Fix:
        """`POST …/fix-network`."""
        return cast("answers.Operation | answers.Fix", self.act(key, "fix-network", body))


class Images(Collection[answers.Image, answers.Image, answers.Operation, answers.Image]):
    """`/api/v1/images`."""


class Machines(Collection[answers.Machine, answers.MachineDetail, answers.Composing, answers.Machine]):
    """`/api/v1/machines`."""

    def get_power_settings(self, key: str, **query: Any) -> answers.PowerSettings:
        """`GET …/power-settings`."""
        return cast("answers.PowerSettings", self.ask(key, "power-settings", **query))

    def set_power_settings(self, key: str, body: Document | None = None) -> answers.PowerSettings:
        """`PUT …/power-settings`."""
        return cast("answers.PowerSettings", self.act(key, "power-settings", body, method="PUT"))

    def cancel_power_settings(self, key: str) -> Document:
        """`DELETE …/power-settings`."""
        return self.act(key, "power-settings", method="DELETE")

    def get_dhcp(self, key: str, **query: Any) -> answers.DhcpTimeline:
        """`GET …/dhcp`."""
        return cast("answers.DhcpTimeline", self.ask(key, "dhcp", **query))

    def verify(self, key: str) -> answers.Operation:
        """`POST …/verify`."""
        return cast("answers.Operation", self.act(key, "verify"))

    def start(self, key: str) -> answers.Machine:
        """`POST …/start`."""
        return cast("answers.Machine", self.act(key, "start"))

    def stop(self, key: str, body: Document | None = None) -> answers.Machine:
        """`POST …/stop`."""
        return cast("answers.Machine", self.act(key, "stop", body))

    def get_power(self, key: str, **query: Any) -> answers.Power:
        """`GET …/power`."""
        return cast("answers.Power", self.ask(key, "power", **query))

    def set_autostart(self, key: str, body: Document | None = None) -> answers.Machine:
        """`PUT …/autostart`."""
        return cast("answers.Machine", self.act(key, "autostart", body, method="PUT"))

    def get_console_log(self, key: str, **query: Any) -> answers.Console:
        """`GET …/console-log`."""
        return cast("answers.Console", self.ask(key, "console-log", **query))

    def get_why(self, key: str, **query: Any) -> answers.Why:
        """`GET …/why`."""
        return cast("answers.Why", self.ask(key, "why", **query))

    def set_next_boot(self, key: str, body: Document | None = None) -> answers.Machine:
        """`PUT …/next-boot`."""
        return cast("answers.Machine", self.act(key, "next-boot", body, method="PUT"))

    def commission(self, key: str) -> answers.Operation:
        """`POST …/commission`."""
        return cast("answers.Operation", self.act(key, "commission"))

    def cancel_commission(self, key: str) -> answers.Machine:
        """`DELETE …/commission`."""
        return cast("answers.Machine", self.act(key, "commission", method="DELETE"))

    def forget(self, key: str) -> Document:
        """`POST …/forget`."""
        return self.act(key, "forget")

    def plan_deploy(self, key: str, body: Document | None = None) -> answers.DeployPlan:
        """`POST …/plan-deploy`."""
        return cast("answers.DeployPlan", self.act(key, "plan-deploy", body))

    def deploy(self, key: str, body: Document | None = None) -> answers.Operation:
        """`POST …/deploy`."""
        return cast("answers.Operation", self.act(key, "deploy", body))

    def release(self, key: str, body: Document | None = None) -> answers.Release:
        """`POST …/release`."""
        return cast("answers.Release", self.act(key, "release", body))

    def lock(self, key: str, body: Document | None = None) -> answers.Machine:
        """`POST …/lock`."""
        return cast("answers.Machine", self.act(key, "lock", body))

    def unlock(self, key: str, body: Document | None = None) -> answers.Machine:
        """`POST …/unlock`."""
        return cast("answers.Machine", self.act(key, "unlock", body))

    def mark_broken(self, key: str, body: Document | None = None) -> answers.Machine:
        """`POST …/mark-broken`."""
        return cast("answers.Machine", self.act(key, "mark-broken", body))

    def mark_fixed(self, key: str, body: Document | None = None) -> answers.Machine:
        """`POST …/mark-fixed`."""
        return cast("answers.Machine", self.act(key, "mark-fixed", body))


class Nodes(Collection[answers.Node, answers.Node, answers.Node, answers.Node]):
    """`/api/v1/nodes`."""

    def update_interface(self, key: str, interface: str, body: Document | None = None) -> answers.Node:
        """`PATCH …/interfaces`."""
        return cast("answers.Node", self.act(key, f"interfaces/{interface}", body, method="PATCH"))


class Operations(Collection[answers.Operation, answers.Operation, answers.Operation, answers.Operation]):
    """`/api/v1/operations`."""

    def cancel(self, key: str) -> answers.Operation:
        """`POST …/cancel`."""
        return cast("answers.Operation", self.act(key, "cancel"))

    def retry(self, key: str) -> answers.Operation:
        """`POST …/retry`."""
        return cast("answers.Operation", self.act(key, "retry"))


class Plans(Collection[answers.KeptPlan, answers.PlanDetail, answers.PlanDetail, answers.PlanDetail]):
    """`/api/v1/plans`."""

    def compose(self, key: str) -> answers.Composing:
        """`POST …/compose`."""
        return cast("answers.Composing", self.act(key, "compose"))


class Racks(Collection[answers.Rack, answers.Rack, answers.Rack, answers.Rack]):
    """`/api/v1/racks`."""

    def get_status(self, key: str, **query: Any) -> answers.RackStatus:
        """`GET …/status`."""
        return cast("answers.RackStatus", self.ask(key, "status", **query))

    def get_config(self, key: str, **query: Any) -> Document:
        """`GET …/config`."""
        return self.ask(key, "config", **query)

    def get_leases(self, key: str, **query: Any) -> answers.Leases:
        """`GET …/leases`."""
        return cast("answers.Leases", self.ask(key, "leases", **query))


class Ranges(Collection[answers.Range, answers.Range, answers.Range, answers.Range]):
    """`/api/v1/ranges`."""


class Reconcilers(Collection[answers.Reconciler, answers.Reconciler, answers.Reconciler, answers.Reconciler]):
    """`/api/v1/reconcilers`."""


class ResourcePools(Collection[answers.Group, answers.Group, answers.Group, answers.Group]):
    """`/api/v1/resource-pools`."""


class Spaces(Collection[answers.Space, answers.Space, answers.Space, answers.Space]):
    """`/api/v1/spaces`."""


class SshKeys(Collection[answers.SshKey, answers.SshKey, answers.SshKey, answers.SshKey]):
    """`/api/v1/ssh-keys`."""


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
        """`GET …/probe`."""
        return cast("answers.Probe", self.ask(key, "probe", **query))

    def probe(self, key: str) -> answers.Probe:
        """`POST …/probe`."""
        return cast("answers.Probe", self.act(key, "probe"))

    def set_dhcp(self, key: str, body: Document | None = None) -> answers.Vlan:
        """`PUT …/dhcp`."""
        return cast("answers.Vlan", self.act(key, "dhcp", body, method="PUT"))


class Zones(Collection[answers.Group, answers.Group, answers.Group, answers.Group]):
    """`/api/v1/zones`."""
