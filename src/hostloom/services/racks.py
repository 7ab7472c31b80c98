"""Racks: machines whose DHCP server serves VLANs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from hostloom.decide.dhcp.serving_racks import racks_of
from hostloom.decide.snapshot import Snapshot
from hostloom.model.access import Principal
from hostloom.model.dhcp import Lease
from hostloom.model.errors.outside import DhcpUnreachable, HostKeyUnknown
from hostloom.model.errors.values import Conflict, InvalidValue
from hostloom.model.ids import RackId, SystemId
from hostloom.model.keep import KEEP, Keep, changed_fields
from hostloom.model.network import Vlan
from hostloom.model.node import NodeKind
from hostloom.model.rack import Rack, RackStatus
from hostloom.ports.context import Ports
from hostloom.ports.dhcp import DhcpServer, DhcpServers
from hostloom.ports.store import UnitOfWork
from hostloom.recording.controllers import ensure_node
from hostloom.services.access import require_admin, require_user
from hostloom.services.naming import check_name
from hostloom.services.nodes import get as get_node
from hostloom.services.nouns import ReadNoun, fields_of
from hostloom.services.ssh_keys import move_key

#: Parts of the names of secret values in a configuration.
_SECRET_WORDS = ("password", "secret", "user", "auth", "key-file", "cert")
RACKS = ReadNoun[Rack]("rack", lambda uow: uow.racks)


@dataclass(frozen=True)
class RackInput:
    """A rack to add; `control` as `unix:/PATH`, `ssh://USER@HOST/PATH` or `http(s)://HOST:PORT/`.

    Without `node`, a rack behind SSH is read and matched with its node; `accept_key`: the fingerprint of its
    SSH key from `HostKeyUnknown`.
    """

    name: str
    control: str
    #: By hostname or system id.
    node: str | None = None
    control6: str = ""
    description: str = ""
    #: Fingerprint of the SSH key that the user compared and accepts.
    accept_key: str | None = None


@dataclass(frozen=True)
class RackChanges:
    """What to change of a rack."""

    name: str | Keep = KEEP
    node: str | Keep = KEEP
    control: str | Keep = KEEP
    control6: str | Keep = KEEP
    description: str | Keep = KEEP


def add(ports: Ports, principal: Principal, fields: RackInput) -> Rack:
    """Record a rack whose DHCP server answers; otherwise DhcpUnreachable, and nothing is recorded.

    A rack behind SSH is also read, because its interfaces determine the VLANs that it can serve. Its key must
    be known or accepted; HostKeyUnknown shows it.
    """
    require_admin(principal, "add racks")
    check_name(fields.name)
    system_id = None
    with ports.store.begin() as uow:
        if fields.node is not None:
            system_id = get_node(uow, principal, fields.node).system_id
    uri = ssh_uri(fields.control)
    if system_id is None and uri is None:
        raise InvalidValue(
            "node",
            None,
            "is missing",
            "give the node that the rack runs on (hostloom finds it out only over SSH)",
        )
    node_id = system_id or SystemId("")
    rack = Rack(RackId(0), **fields_of(fields, "node", "accept_key", system_id=node_id))
    with _trusting(ports, rack.name, key_uri(fields.control), fields.accept_key):
        _check_channel(ports, rack)
        observed_network = None if uri is None else ports.scanner.scan(uri)
    with ports.store.begin() as uow:
        _refuse_second_local(uow, rack)
        if observed_network is not None:
            node = ensure_node(uow, ports, system_id, observed_network, NodeKind.RACK_CONTROLLER)
            rack = replace(rack, system_id=node.system_id)
        rack = uow.racks.add(rack)
        uow.commit()
    return rack


def ssh_uri(control: str) -> str | None:
    """The URI for reading the machine behind a control channel; None if the channel does not use SSH."""
    parts = urlsplit(control)
    return f"qemu+ssh://{parts.netloc}/system" if parts.scheme == "ssh" else None


def key_uri(control: str) -> str | None:
    """The URI for which a rack's SSH key is pinned; None if the channel does not use SSH.

    Its fragment distinguishes it from a host at the same address, which needs the key itself.
    """
    uri = ssh_uri(control)
    return None if uri is None else f"{uri}#{urlsplit(control).path}"


@contextmanager
def _trusting(ports: Ports, name: str, uri: str | None, accepted: str | None) -> Iterator[None]:
    """Pin the SSH key that the user accepted; release it again if the rack is not added."""
    if uri is None:
        yield
        return
    if ports.keys.pinned(uri) is not None:
        ports.keys.retain(uri)
    else:
        offered = ports.keys.offered(uri)
        key = next((key for key in offered if key.fingerprint == accepted), None)
        if key is None:
            raise HostKeyUnknown(name, ", ".join(key.fingerprint for key in offered))
        ports.keys.pin(uri, key)
    try:
        yield
    except BaseException:
        with ports.store.begin() as uow:
            is_in_use = any(key_uri(rack.control) == uri for rack in uow.racks.list())
        if not is_in_use:
            ports.keys.release(uri)
        raise


def update(
    ports: Ports, principal: Principal, key: str, changes: RackChanges, generation: int | None = None
) -> Rack:
    """Change a rack; a new control channel must answer."""
    require_admin(principal, "change racks")
    with ports.store.begin() as uow:
        before = RACKS.find_current(uow, key, generation)
        fields = changed_fields(changes)
        if "node" in fields:
            fields["system_id"] = get_node(uow, principal, fields.pop("node")).system_id
    after = replace(before, **fields)
    check_name(after.name)
    if (before.control, before.control6) != (after.control, after.control6):
        _check_channel(ports, replace(after, id=RackId(0)))
    with ports.store.begin() as uow:
        _refuse_second_local(uow, after)
        after = uow.racks.update(after)
        uow.commit()
    move_key(ports.keys, key_uri(before.control), key_uri(after.control))
    return after


def delete(uow: UnitOfWork, principal: Principal, key: str, generation: int | None = None) -> None:
    """Delete a rack; InUse names the VLANs that it serves. Its server keeps its configuration."""
    require_admin(principal, "delete racks")
    rack = RACKS.find_current(uow, key, generation)
    uow.racks.delete(rack.id)
    uri = key_uri(rack.control)
    if uri is not None:
        uow.ssh_keys.release(uri)


def status(ports: Ports, principal: Principal, rack: Rack) -> RackStatus:
    """The current status of the rack's server; `trouble` if it does not answer."""
    require_user(principal, "see racks")
    return _server(ports.dhcp, rack).status()


def running(ports: Ports, principal: Principal, key: str) -> dict[str, Any]:
    """The running configuration of the rack's server, without secrets for ordinary users; DhcpUnreachable."""
    with ports.store.begin() as uow:
        rack = RACKS.get(uow, principal, key)
    running_config = _server(ports.dhcp, rack).running()
    if principal.admin:
        return running_config
    return {name: _without_secrets(value) for name, value in running_config.items()}


def _without_secrets(value: Any) -> Any:
    """The configuration with *** in place of every secret."""
    if isinstance(value, dict):
        return {
            name: "***" if any(word in name.lower() for word in _SECRET_WORDS) else _without_secrets(item)
            for name, item in value.items()
        }
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def leases(ports: Ports, principal: Principal, key: str) -> list[Lease]:
    """The leases of the rack's server by address; DhcpUnreachable."""
    with ports.store.begin() as uow:
        rack = RACKS.get(uow, principal, key)
    return list(_server(ports.dhcp, rack).leases())


def vlans_of(snapshot: Snapshot, racks: list[Rack], rack: Rack) -> tuple[list[Vlan], list[Vlan]]:
    """The VLANs that a rack serves as primary and as standby, by id."""
    primary, standby = [], []
    for vlan in sorted(snapshot.vlans, key=lambda candidate: candidate.id):
        serving = racks_of(snapshot, racks, vlan)
        if serving and serving[0].id == rack.id:
            primary.append(vlan)
        elif any(candidate.id == rack.id for candidate in serving):
            standby.append(vlan)
    return primary, standby


def _server(dhcp: DhcpServers | None, rack: Rack) -> DhcpServer:
    if dhcp is None:
        raise DhcpUnreachable("this hostloom reaches no DHCP servers")
    return dhcp.of(rack)


def _check_channel(ports: Ports, rack: Rack) -> None:
    trouble = _server(ports.dhcp, rack).status().trouble
    if trouble:
        raise DhcpUnreachable(trouble)


def _refuse_second_local(uow: UnitOfWork, rack: Rack) -> None:
    """Refuse a second rack with the same server: the racks would overwrite each other's configuration."""
    for other in uow.racks.list():
        if other.id != rack.id and other.control == rack.control:
            raise Conflict(
                "control",
                rack.control,
                "is already the channel of",
                f"rack {other.name}",
                "give another channel",
            )
