"""Imports of another system's inventory: previewed, started as an operation, and looked at afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hostloom.migration.plan_import import plan_import
from hostloom.model.access import Principal
from hostloom.model.errors.resources import NotFound
from hostloom.model.host_uri import mask_password
from hostloom.model.import_plan import ImportPlan
from hostloom.model.operation import Operation, OperationState
from hostloom.model.source_inventory import SourceInventory
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.import_inventory import (
    HOST_KEYS,
    HOSTS,
    IMPORT_INVENTORY,
    PLAN,
    SERVE,
    HostAccess,
    ImportInput,
    present_records,
)
from hostloom.sagas.import_records import require_free_ids
from hostloom.sagas.saga import Step, start_saga
from hostloom.serialization import from_json
from hostloom.services.access import require_admin

O = TypeVar("O")  # noqa: E741  (a step's output)


@dataclass(frozen=True)
class ImportedHost:
    """A host of an import, and the operation that adds it."""

    name: str
    #: None: none was started, or not yet.
    operation_id: str | None = None
    state: OperationState | None = None
    #: Why the host is not added.
    error: str = ""
    error_code: str = ""
    #: Fingerprint of the SSH key that the host shows, if it must be accepted first.
    fingerprint: str | None = None


@dataclass(frozen=True)
class ImportResult:
    """How far an import is: what was written, which VLANs are served, and what became of its hosts."""

    operation: Operation
    #: Empty before the records are written.
    plan: ImportPlan
    hosts: tuple[ImportedHost, ...] = ()
    #: Names of the VLANs for which DHCP was switched on.
    vlans_served: tuple[str, ...] = ()

    @property
    def hosts_added(self) -> tuple[str, ...]:
        """The names of the hosts that are added."""
        return tuple(host.name for host in self.hosts if host.state is OperationState.SUCCEEDED)


def preview(
    uow: UnitOfWork, principal: Principal, inventory: SourceInventory, *, prefer_theirs: bool = False
) -> ImportPlan:
    """What an import would do, without changing anything."""
    require_admin(principal, "import")
    return plan_import(present_records(uow), inventory, prefer_theirs=prefer_theirs)


def start(ports: Ports, principal: Principal, import_input: ImportInput) -> Operation:
    """Record the import. InUse if it needs ids that an unfinished operation refers to."""
    require_admin(principal, "import")
    inventory = import_input.inventory
    # The input is recorded. A host with a password in its URI is refused in any case.
    hosts = tuple(replace(host, uri=mask_password(host.uri)) for host in inventory.hosts)
    import_input = replace(import_input, inventory=replace(inventory, hosts=hosts))
    with ports.store.begin() as uow:
        plan = preview(uow, principal, import_input.inventory, prefer_theirs=import_input.prefer_theirs)
        require_free_ids(uow, plan.renumberings)
        operation = start_saga(uow, ports, principal, IMPORT_INVENTORY, import_input, inventory.source)
        uow.commit()
    return operation


def result(uow: UnitOfWork, principal: Principal, operation_id: str) -> ImportResult:
    """How far an import is, by the id of its operation; NotFound."""
    require_admin(principal, "see imports")
    operation = uow.operations.get(operation_id)
    if operation.saga != IMPORT_INVENTORY.name:
        raise NotFound("import", operation_id)
    recorded = _output(operation, PLAN)
    if recorded is None or operation.state in (OperationState.FAILED, OperationState.CANCELLED):
        return ImportResult(operation, ImportPlan(operation.subject, ()))
    checked, started, served = (
        _output(operation, HOST_KEYS),
        _output(operation, HOSTS),
        _output(operation, SERVE),
    )
    operations: Mapping[str, str] = {} if started is None else started.operations
    hosts = () if checked is None else checked.hosts
    return ImportResult(
        operation,
        recorded.plan,
        tuple(_imported_host(uow, access, operations.get(access.name)) for access in hosts),
        recorded.plan.unserved if served is not None and served.vlan_ids else (),
    )


def _output(operation: Operation, step: Step[ImportInput, O]) -> O | None:
    """What a step returned, as recorded; None before the step is done."""
    data: Any = next((record.output for record in operation.steps if record.name == step.name), None)
    return None if data is None or step.output is None else from_json(data, step.output)


def _imported_host(uow: UnitOfWork, access: HostAccess, operation_id: str | None) -> ImportedHost:
    if operation_id is None:
        return ImportedHost(access.name, None, None, access.error, access.error_code, access.fingerprint)
    operation = uow.operations.get(operation_id, with_data=False)
    return ImportedHost(access.name, operation_id, operation.state, operation.error, operation.error_code)
