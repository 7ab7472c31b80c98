"""Import another system's inventory: write its records, serve its VLANs, and start adding its hosts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hostloom.migration.plan_import import Defaults, Present, plan_import
from hostloom.model.access import Principal
from hostloom.model.annotation import Annotated
from hostloom.model.errors.base import DriverError, RequestError
from hostloom.model.errors.outside import HostKeyUnknown
from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import EventKind
from hostloom.model.host import Host
from hostloom.model.ids import VlanId
from hostloom.model.import_plan import ImportNoun, ImportPlan
from hostloom.model.network import IPRange, Subnet, Vlan
from hostloom.model.source_inventory import SourceInventory
from hostloom.ports.store import UnitOfWork
from hostloom.reconcilers.publish_dhcp import publish_dhcp
from hostloom.recording.host_endpoints import check_new_endpoint
from hostloom.sagas.add_host import ADD_HOST, AddHostInput
from hostloom.sagas.import_records import (
    Reversal,
    WrittenRecords,
    require_free_ids,
    revert_change,
    revert_records,
    write_records,
)
from hostloom.sagas.saga import Run, Saga, Step, for_each_host, start_saga
from hostloom.serialization import to_json


@dataclass(frozen=True)
class ImportInput:
    """What was read from the other system, and the user's choices."""

    inventory: SourceInventory
    #: Use the other system's settings where they differ from ours.
    prefer_theirs: bool = False
    #: Serve the VLANs that the other system serves.
    serve_dhcp: bool = False
    #: Fingerprints of SSH keys that the user accepted, by the name of the host.
    accept_keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedPlan:
    """The plan that was carried out; its changes have no items."""

    plan: ImportPlan
    #: The hosts to add, with our ids.
    hosts: tuple[Host, ...]


@dataclass(frozen=True)
class ChangedVlans:
    """VLANs whose DHCP is published, and how their changes are reverted."""

    vlan_ids: tuple[VlanId, ...]
    reversals: tuple[Reversal, ...] = ()


@dataclass(frozen=True)
class Records:
    """What was written, and the VLANs served by our DHCP that it concerns."""

    written: WrittenRecords
    served: tuple[VlanId, ...]


@dataclass(frozen=True)
class HostAccess:
    """How one host is reached, or why it cannot be added."""

    name: str
    #: Fingerprint of the key to pin; empty if none is needed or a key is pinned already.
    accept_key: str = ""
    error: str = ""
    error_code: str = ""
    #: Fingerprint of the key that the host presents, if it is not accepted yet.
    fingerprint: str | None = None


@dataclass(frozen=True)
class CheckedHosts:
    """The hosts in the order of the plan."""

    hosts: tuple[HostAccess, ...]


@dataclass(frozen=True)
class StartedHosts:
    """The operations that add the hosts, by the name of the host."""

    operations: Mapping[str, str]


def present_records(uow: UnitOfWork) -> Present:
    """All records that an import is compared with."""
    return Present(
        uow.snapshot(),
        tuple(uow.zones.list()),
        tuple(uow.resource_pools.list()),
        tuple(uow.domains.list()),
        tuple(uow.tags.list()),
        tuple(uow.machines.list()),
        {kind: uow.annotations.of(kind) for kind in (Annotated.NODE, Annotated.DOMAIN)},
        Defaults(uow.zones.default().id, uow.resource_pools.default().id, uow.domains.default().id),
    )


# -- records ---------------------------------------------------------------------------------------------


def _no_plan(run: Run[ImportInput]) -> ImportPlan:
    """The plan is made together with the records, in one transaction."""
    raise LookupError(run.operation.id)


def _plan(run: Run[ImportInput], uow: UnitOfWork) -> RecordedPlan:
    plan = plan_import(present_records(uow), run.input.inventory, prefer_theirs=run.input.prefer_theirs)
    require_free_ids(uow, plan.renumberings, run.operation.id)
    run.keep(_no_plan, plan)
    changes = tuple(replace(change, item=None) for change in plan.changes)
    return RecordedPlan(replace(plan, changes=changes, kept=()), plan.hosts)


def _write(run: Run[ImportInput], uow: UnitOfWork) -> Records:
    plan = run.once(_no_plan)
    written = write_records(uow, plan)
    return Records(written, tuple(sorted(_served_changes(uow, plan))))


def _revert(run: Run[ImportInput], uow: UnitOfWork) -> None:
    """Revert once: afterwards other records may have the ids of the imported ones."""
    if run.has(RECORDS):
        records = run.output(RECORDS)
        require_free_ids(uow, records.written.renumberings, run.operation.id)
        revert_records(uow, records.written)
        run.outputs[RECORDS.name] = replace(records, written=WrittenRecords())


def _publish(run: Run[ImportInput]) -> None:
    if run.output(RECORDS).served:
        publish_dhcp(run.ports, run.output(RECORDS).served)


def _publish_reverted(run: Run[ImportInput]) -> None:
    """Servers that do not answer are set from the store when they are back."""
    if run.has(RECORDS) and run.output(RECORDS).served:
        publish_dhcp(run.ports, ())


def _served_changes(uow: UnitOfWork, plan: ImportPlan) -> Iterator[VlanId]:
    """The VLANs with a change that affects a DHCP server."""
    vlan_ids: set[VlanId] = set()
    for change in plan.wanted:
        if isinstance(change.item, Vlan):
            vlan_ids.add(change.item.id)
        elif isinstance(change.item, Subnet):
            vlan_ids.add(change.item.vlan_id)
        elif isinstance(change.item, IPRange):
            vlan_ids.add(uow.subnets.get(change.item.subnet_id).vlan_id)
    for vlan_id in vlan_ids:
        vlan = uow.vlans.get(vlan_id)
        relay = vlan if vlan.relay_vlan_id is None else uow.vlans.get(vlan.relay_vlan_id)
        if vlan.dhcp_on or relay.dhcp_on:
            yield vlan_id


# -- DHCP ------------------------------------------------------------------------------------------------


def _serve(run: Run[ImportInput], uow: UnitOfWork) -> ChangedVlans:
    """Switch DHCP on for the VLANs that only the other system serves."""
    names = run.output(PLAN).plan.unserved if run.input.serve_dhcp else ()
    reversals = []
    for name in names:
        fabric_name, _, vid = name.rpartition("/")
        fabric = uow.fabrics.find(fabric_name)
        vlan = None if fabric is None else uow.vlans.find_by_vid(fabric.id, int(vid))
        if vlan is not None and not vlan.dhcp_on:
            served = uow.vlans.update(replace(vlan, dhcp_on=True, relay_vlan_id=None))
            reversals.append(Reversal(ImportNoun.VLAN, vlan.id, to_json(vlan), to_json(served)))
    return ChangedVlans(tuple(VlanId(int(reversal.key)) for reversal in reversals), tuple(reversals))


def _stop_serving(run: Run[ImportInput], uow: UnitOfWork) -> None:
    if run.has(SERVE):
        for reversal in run.output(SERVE).reversals:
            revert_change(uow, reversal)


def _publish_served(run: Run[ImportInput]) -> None:
    if run.output(SERVE).vlan_ids:
        publish_dhcp(run.ports, run.output(SERVE).vlan_ids)


def _publish_unserved(run: Run[ImportInput]) -> None:
    if run.has(SERVE) and run.output(SERVE).vlan_ids:
        publish_dhcp(run.ports, ())


# -- hosts -----------------------------------------------------------------------------------------------


def _check_hosts(run: Run[ImportInput]) -> CheckedHosts:
    """Check how each host is reached. A host that cannot be added does not stop the others."""
    hosts = {host.name: [host] for host in run.output(PLAN).hosts}

    def check(name: str, items: Iterator[Host]) -> HostAccess:
        host = next(items)
        try:
            return HostAccess(name, _key_to_pin(run, host))
        except HostKeyUnknown as error:
            return HostAccess(name, "", str(error), error.code, error.fingerprint)
        except (DriverError, RequestError) as error:
            return HostAccess(name, "", str(error), error.code)

    return CheckedHosts(tuple(for_each_host(run, hosts, check)))


def _key_to_pin(run: Run[ImportInput], host: Host) -> str:
    """The fingerprint to pin; HostKeyUnknown if the user has not accepted the key that the host shows."""
    with run.ports.store.begin() as uow:
        check_new_endpoint(uow, run.ports, host.uri)
    if run.ports.keys.pinned(host.uri) is not None:
        return ""
    offered = run.ports.keys.offered(host.uri)
    accepted = run.input.accept_keys.get(host.name, "")
    if offered and accepted not in [key.fingerprint for key in offered]:
        raise HostKeyUnknown(host.name, offered[0].fingerprint)
    return accepted if offered else ""


def _start_hosts(run: Run[ImportInput], uow: UnitOfWork) -> StartedHosts:
    """Start an operation for each host, so that the trouble of one host stays its own."""
    requester = Principal(run.operation.requested_by, admin=True)
    accesses = {access.name: access for access in run.output(HOST_KEYS).hosts}
    operations = {}
    for host in run.output(PLAN).hosts:
        access = accesses[host.name]
        if not access.error_code:
            add_host_input = AddHostInput(host, access.accept_key, adopt=True)
            operation = start_saga(uow, run.ports, requester, ADD_HOST, add_host_input, f"host {host.name}")
            operations[host.name] = operation.id
    _record_event(run, uow)
    return StartedHosts(operations)


def _record_event(run: Run[ImportInput], uow: UnitOfWork) -> None:
    plan = run.output(PLAN).plan
    if plan.wanted:
        text = f"{len(plan.wanted)} things imported from {plan.source}"
        subject = EventSubject(EventSubjectKind.WORLD)
        uow.events.add(Event(EventKind.IMPORTED, subject, text, run.ports.clock.now()))


#: Its undo comes last: it publishes the records as they were before the import.
PLAN = Step[ImportInput, RecordedPlan]("plan", RecordedPlan, rows=_plan, undo=_publish_reverted)
RECORDS = Step[ImportInput, Records]("records", Records, rows=_write, undo_rows=_revert)
PUBLISH = Step[ImportInput, None]("publish", do=_publish)
SERVE = Step[ImportInput, ChangedVlans](
    "serve",
    ChangedVlans,
    rows=_serve,
    do=_publish_served,
    undo_rows=_stop_serving,
    undo=_publish_unserved,
)
HOST_KEYS = Step[ImportInput, CheckedHosts]("host-keys", CheckedHosts, do=_check_hosts)
HOSTS = Step[ImportInput, StartedHosts]("hosts", StartedHosts, rows=_start_hosts)

IMPORT_INVENTORY = Saga("import-inventory", ImportInput, (PLAN, RECORDS, PUBLISH, SERVE, HOST_KEYS, HOSTS))
