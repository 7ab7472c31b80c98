"""What MAAS's clients see of nodes and domains and hostloom has no place for: kept as annotations."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hostloom.migration.import_state import ImportState
from hostloom.model.annotation import LINKS, NICS, OWNER, PARAMS, PARENT, STATIC, TTL, Annotated
from hostloom.model.ids import SystemId
from hostloom.model.import_plan import ImportAction, ImportChange, ImportCode, ImportNoun, Kept, Remark
from hostloom.model.node import NodeKind
from hostloom.model.source_inventory import EstateLink, EstateLinkMode

#: What is kept of the NICs of one node, written as JSON; with each thing there is room for twice as much.
MAX_NICS_BYTES = 32 * 1024
_MAX_NAME = 255
#: What is said of an annotation, where its name says too little.
_WORDS = {NICS: "links and parameters of NICs"}


def plan_kept(book: ImportState) -> None:
    """With a new thing silently; with one that is here as a change of its own, and only what is missing."""
    created = {(change.noun, change.ours) for change in book.changes if change.action is ImportAction.CREATE}
    planned: set[tuple[Annotated, str | int]] = set()
    for noun, name, theirs, kept in (*_of_domains(book), *_of_nodes(book)):
        if (kept.kind, kept.key) in planned:
            continue
        planned.add((kept.kind, kept.key))
        if (noun, str(kept.key)) in created:
            book.kept.append(kept)
            continue
        values = _missing(book, kept)
        if values:
            remark = Remark(ImportCode.KEPT, ", ".join(_WORDS.get(name, name) for name in values))
            item = Kept(kept.kind, kept.key, values)
            book.changes.append(
                ImportChange(ImportAction.CHANGE, noun, name, theirs, str(kept.key), (), (remark,), item)
            )


def _missing(book: ImportState, kept: Kept) -> dict[str, Any]:
    """What a client has set here since stays, unless theirs are preferred."""
    here = book.present.annotations.get(kept.kind, {}).get(kept.key, {})
    return {
        name: value
        for name, value in kept.values.items()
        if name not in here or (book.prefer_theirs and here[name] != value)
    }


def _of_domains(book: ImportState) -> Iterator[tuple[ImportNoun, str, str, Kept]]:
    names = {domain.id: domain.name for domain in book.estate.domains}
    for ttl in book.estate.ttls:
        ours = book.domains.get(ttl.domain_id)
        if ours is not None:
            kept = Kept(Annotated.DOMAIN, int(ours), {TTL: ttl.seconds})
            yield ImportNoun.DOMAIN, names[ttl.domain_id], str(ttl.domain_id), kept


def _of_nodes(book: ImportState) -> Iterator[tuple[ImportNoun, str, str, Kept]]:
    devices = {device.system_id: device for device in book.estate.devices}
    nics = _nics(book)
    for node in sorted(book.estate.nodes, key=lambda node: node.system_id):
        ours, device = book.nodes.get(node.system_id), devices.get(node.system_id)
        values: dict[str, Any] = {}
        if device is not None and device.owner:
            values[OWNER] = device.owner
        parent = None if device is None or device.parent is None else book.nodes.get(device.parent)
        if parent is not None:
            values[PARENT] = str(parent)
        if nics.get(node.system_id):
            values[NICS] = nics[node.system_id]
        if ours is None or not values:
            continue
        if len(json.dumps(values.get(NICS, {}))) > MAX_NICS_BYTES:
            del values[NICS]
            book.notes.append(f"{node.hostname}: too many links and parameters of interfaces to keep")
        noun = ImportNoun.MACHINE if node.kind is NodeKind.MACHINE else ImportNoun.NODE
        if values:
            yield noun, node.hostname, node.system_id, Kept(Annotated.NODE, str(ours), values)


def _nics(book: ImportState) -> Mapping[SystemId, dict[str, dict[str, Any]]]:
    """By node and name of the NIC; NICs without anything to keep are left out."""
    kept: dict[SystemId, dict[str, dict[str, Any]]] = {}

    def nic(item: Any) -> dict[str, Any] | None:
        name = item.interface_name
        if not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
            return None
        return kept.setdefault(item.system_id, {}).setdefault(name, {})

    for link in book.estate.links:
        if link.ip is not None and link.mode is not EstateLinkMode.STATIC:
            continue
        values = nic(link)
        if values is not None and link.ip is not None:
            values.setdefault(STATIC, []).append(str(link.ip))
        elif values is not None and link.mode is not EstateLinkMode.STATIC:
            values.setdefault(LINKS, []).append(_link(link))
    for parameter in book.estate.parameters:
        values = nic(parameter)
        if values is not None:
            values.setdefault(PARAMS, {})[parameter.name] = parameter.value
    return {
        system_id: {name: values for name, values in nics.items() if values}
        for system_id, nics in kept.items()
    }


def _link(link: EstateLink) -> dict[str, str]:
    """Its subnet by CIDR: ids change when hostloom's own networks give way."""
    subnet = {} if link.subnet is None else {"subnet": str(link.subnet)}
    return {"mode": link.mode.value, **subnet}
