"""Documents of imports: the source inventory and the changes."""

from typing import Annotated, Self

from pydantic import Field

from hostloom.api.forms import Flag, In, Int, Out, Text, like
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.source_inventories import SentInventory
from hostloom.migration.explain import render_change, render_next_steps
from hostloom.model.attachment import MacvlanMode
from hostloom.model.host import Host
from hostloom.model.import_plan import ImportAction, ImportChange, ImportPlan, Remark, SettingDifference
from hostloom.sagas.import_inventory import ImportInput
from hostloom.services.imports import ImportedHost, ImportResult

#: The limit for accepted SSH keys in one request.
MAX_KEYS = 10_000


class ImportPlanIn(In):
    """The inventory to compare with; with `theirs`, the other system's settings win where they differ."""

    estate: SentInventory
    theirs: Flag = False


class ImportIn(ImportPlanIn):
    """What to import, and what to do besides.

    `dhcp` serves the VLANs that the other system serves. `accept_keys` has the fingerprints of SSH keys that
    you have verified, by the name of the host.
    """

    dhcp: Flag = False
    accept_keys: Annotated[dict[Text, Text], Field(max_length=MAX_KEYS)] = Field(default_factory=dict)

    def to_model(self) -> ImportInput:
        """As the saga takes it."""
        return ImportInput(self.estate, self.theirs, self.dhcp, self.accept_keys)


@like(SettingDifference)
class SettingOut(Out):
    """A setting that differs."""


@like(Remark)
class RemarkOut(Out):
    """A remark on a change."""


@like(ImportChange, hide=("item",), instead={"theirs": "their_id", "ours": "id"})
class ImportChangeOut(Out):
    """The change of one record; `their_id` and `id` as text, empty if there is none."""

    their_id: str
    id: str
    differences: list[SettingOut]
    remarks: list[RemarkOut]
    #: The change as text.
    text: str

    @classmethod
    def of(cls, item: ImportChange) -> Self:
        """Of the model."""
        return cls.made(item, their_id=item.theirs, id=item.ours, text=render_change(item))


class HostToAddOut(Out):
    """A host that remains to be added: the body of `POST /hosts`."""

    id: int
    name: str
    uri: str
    default_macvlan_mode: MacvlanMode | None
    cpu_over_commit_ratio: float
    memory_over_commit_ratio: float
    #: Ids as text.
    zone: str
    resource_pool: str
    tags: list[str]

    @classmethod
    def of(cls, item: Host) -> Self:
        """Of the model."""
        return cls(
            id=item.id,
            name=item.name,
            uri=item.uri,
            default_macvlan_mode=item.default_macvlan_mode,
            cpu_over_commit_ratio=float(item.cpu_over_commit_ratio),
            memory_over_commit_ratio=float(item.memory_over_commit_ratio),
            zone=str(item.zone_id),
            resource_pool=str(item.resource_pool_id),
            tags=list(item.tags),
        )


class ImportOut(Out):
    """What an import would do: every thing with what becomes of it, and what is left to the user."""

    source: str
    #: How many things there are of each action.
    counts: dict[ImportAction, Int]
    changes: list[ImportChangeOut]
    hosts: list[HostToAddOut]
    #: VLANs that the other system serves, but our DHCP does not.
    unserved: list[str]
    next_steps: list[str]
    notes: list[str]

    @classmethod
    def of(cls, plan: ImportPlan) -> Self:
        """Of the model."""
        return cls(
            source=plan.source,
            counts=_counts(plan),
            changes=[ImportChangeOut.of(change) for change in plan.changes],
            hosts=[HostToAddOut.of(host) for host in plan.hosts],
            unserved=list(plan.unserved),
            next_steps=list(render_next_steps(plan.hosts, plan.unserved)),
            notes=list(plan.notes),
        )


@like(ImportedHost)
class ImportedHostOut(Out):
    """A host of an import: the operation that adds it and its state, or why none was started."""


class ImportResultOut(Out):
    """How far an import is: what it wrote, what became of its hosts, and what is left to the user."""

    #: The operation of the import.
    operation: OperationOut
    source: str
    counts: dict[ImportAction, Int]
    #: Empty before the records are written, and after everything was undone.
    changes: list[ImportChangeOut]
    hosts: list[ImportedHostOut]
    hosts_added: list[str]
    vlans_served: list[str]
    #: VLANs that the other system serves and our DHCP does not.
    unserved: list[str]
    next_steps: list[str]
    notes: list[str]

    @classmethod
    def of(cls, item: ImportResult) -> Self:
        """Of the model."""
        plan, left = item.plan, [host.name for host in item.hosts if host.name not in item.hosts_added]
        unserved = [name for name in plan.unserved if name not in item.vlans_served]
        return cls(
            operation=OperationOut.of(item.operation),
            source=plan.source,
            counts=_counts(plan),
            changes=[ImportChangeOut.of(change) for change in plan.changes],
            hosts=[ImportedHostOut.made(host) for host in item.hosts],
            hosts_added=list(item.hosts_added),
            vlans_served=list(item.vlans_served),
            unserved=unserved,
            next_steps=list(render_next_steps(left, unserved)),
            notes=list(plan.notes),
        )


def _counts(plan: ImportPlan) -> dict[ImportAction, int]:
    return {action: sum(change.action is action for change in plan.changes) for action in ImportAction}
