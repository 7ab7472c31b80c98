"""Documents of imports: the source inventory and the changes."""

from typing import Self

from hostloom.api.forms import Flag, In, Int, Out, like
from hostloom.api.shapes.source_inventories import SentInventory
from hostloom.migration.explain import render_change, render_next_steps
from hostloom.model.attachment import MacvlanMode
from hostloom.model.host import Host
from hostloom.model.import_plan import ImportAction, ImportChange, ImportPlan, Remark, SettingDifference


class ImportIn(In):
    """An inventory to import; `dry_run` only shows the changes, `theirs` prefers their settings to ours."""

    estate: SentInventory
    dry_run: Flag = False
    theirs: Flag = False


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
    """The changes of an import by record, and the remaining steps for the user."""

    source: str
    dry_run: bool
    #: Number of records by action.
    counts: dict[ImportAction, Int]
    changes: list[ImportChangeOut]
    hosts: list[HostToAddOut]
    #: VLANs that the other system serves, but our DHCP does not.
    unserved: list[str]
    next_steps: list[str]
    notes: list[str]

    @classmethod
    def of(cls, plan: ImportPlan, *, dry_run: bool) -> Self:
        """Of the model."""
        return cls(
            source=plan.source,
            dry_run=dry_run,
            counts={
                action: sum(change.action is action for change in plan.changes) for action in ImportAction
            },
            changes=[ImportChangeOut.of(change) for change in plan.changes],
            hosts=[HostToAddOut.of(host) for host in plan.hosts],
            unserved=list(plan.unserved),
            next_steps=list(render_next_steps(plan)),
            notes=list(plan.notes),
        )
