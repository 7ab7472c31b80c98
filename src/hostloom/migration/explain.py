"""Explanations of an import: remarks on changes, and the next steps for the operator."""

from collections.abc import Collection, Sequence

from hostloom.model.import_plan import ImportAction, ImportChange, ImportCode, Remark

_REMARKS = {
    ImportCode.RENAMED: "called {found} here",
    ImportCode.OTHER_ID: "its id is taken here: it gets {found}",
    ImportCode.GIVES_WAY: "hostloom made it by itself with id {found}, which an imported one needs",
    ImportCode.TAKES_ID: "hostloom made it by itself with id {found}: it takes the other system's id",
    ImportCode.KEEPS_ID: "it keeps its id {found}",
    ImportCode.KEPT: "kept for MAAS's clients: {found}",
    ImportCode.DIFFERS: "ours stays; --theirs takes the other system's settings",
    ImportCode.MOVED: "comes from {found}, where hostloom put it when it first saw it",
    ImportCode.OTHER_VLAN: "it is on VLAN {found} here, and stays there",
    ImportCode.OVERLAPS: "overlaps {found}, which is here",
    ImportCode.RANGE_REFUSED: "{found}",
    ImportCode.WITHOUT_PARENT: "{found} is not imported",
    ImportCode.HELD: "held here: {found}",
    ImportCode.KNOWN_AS: "here as {found}, by its MAC, under a system id of its own",
    ImportCode.SYSTEM_ID_TAKEN: "its system id is that of {found} here",
    ImportCode.GATEWAY: "without its gateway {found}, which is no address of it",
    ImportCode.HOST_KIND: "not a KVM host behind libvirt: its type is {found}",
    ImportCode.HOST_URI: "its address is not the libvirt URI of ours",
    ImportCode.HOST_LOCAL: "libvirt on the machine of the other system; does hostloom run there?",
    ImportCode.HOST_PASSWORD: "the other system used a password: install hostloom's SSH key first",
}
#: Texts that differ for records that cannot be imported.
_IMPOSSIBLE = {ImportCode.HOST_URI: "its address is not a valid libvirt URI for a host"}


def render_change(change: ImportChange) -> str:
    """Render the differences and remarks of a change in one line, which may be empty."""
    differences = [
        f"{difference.field}: {difference.ours or 'none'} here, {difference.theirs or 'none'} there"
        if change.action is ImportAction.CONFLICT
        else f"{difference.field}: {difference.ours or 'none'} → {difference.theirs or 'none'}"
        for difference in change.differences
    ]
    return "; ".join([*differences, *(_render(remark, change.action) for remark in change.remarks)])


def _render(remark: Remark, action: ImportAction) -> str:
    texts = _REMARKS | (_IMPOSSIBLE if action is ImportAction.IMPOSSIBLE else {})
    return texts[remark.code].format(found=remark.found)


def render_next_steps(hosts: Collection[object], unserved: Collection[str]) -> Sequence[str]:
    """List the steps that remain for the operator, with the commands: for hosts, and for VLANs by name."""
    steps = []
    if hosts:
        steps.append(
            "let hostloom log in to the hosts with its SSH key (docs/how-to/add-a-host.md), then import again"
        )
    if unserved:
        steps.append(
            "DHCP was not switched over, because two DHCP servers on one VLAN conflict. "
            "For each VLAN, turn DHCP off in MAAS, then run"
        )
        steps += [f"hostloom vlan dhcp on {name}" for name in unserved]
    return steps
