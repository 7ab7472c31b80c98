"""Imports fields of nodes and domains that only MAAS's clients use, as annotations."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hostloom.migration.import_state import ImportState
from hostloom.model.annotation import LINKS, NICS, OWNER, PARAMS, PARENT, STATIC, TTL, Annotated
from hostloom.model.ids import SystemId
from hostloom.model.import_plan import ImportAction, ImportChange, ImportCode, ImportNoun, Kept, Remark
from hostloom.model.node import LinkMode, NodeKind
from hostloom.model.source_inventory import SourceDevice, SourceLink, SourceParameter

#: The limit for the annotations of all NICs of a node as JSON, half of the limit for a record.
MAX_NICS_BYTES = 32 * 1024
_MAX_NAME = 255
#: Descriptions of annotations with unclear names.
_WORDS = {NICS: "links and parameters of NICs"}


def plan_kept(state: ImportState) -> None:
    """Plan the annotations. For present records these are separate changes of missing annotations only."""
    created = {(change.noun, change.ours) for change in state.changes if change.action is ImportAction.CREATE}
    planned: set[tuple[Annotated, str | int]] = set()
    for noun, name, theirs, annotation in (*_of_domains(state), *_of_nodes(state)):
        if (annotation.kind, annotation.key) in planned:
            continue
        planned.add((annotation.kind, annotation.key))
        if (noun, str(annotation.key)) in created:
            state.kept.append(annotation)
            continue
        values = _missing(state, annotation)
        if values:
            remark = Remark(ImportCode.KEPT, ", ".join(_WORDS.get(name, name) for name in values))
            item = Kept(annotation.kind, annotation.key, values)
            state.changes.append(
                ImportChange(
                    ImportAction.CHANGE, noun, name, theirs, str(annotation.key), (), (remark,), item
                )
            )


def _missing(state: ImportState, annotation: Kept) -> dict[str, Any]:
    """Select the annotations to write. Present values stay, unless `prefer_theirs` is set."""
    present = state.present.annotations.get(annotation.kind, {}).get(annotation.key, {})
    return {
        name: value
        for name, value in annotation.values.items()
        if name not in present or (state.prefer_theirs and present[name] != value)
    }


def _of_domains(state: ImportState) -> Iterator[tuple[ImportNoun, str, str, Kept]]:
    names = {domain.id: domain.name for domain in state.source.domains}
    for ttl in state.source.ttls:
        ours = state.domains.get(ttl.domain_id)
        if ours is not None:
            annotation = Kept(Annotated.DOMAIN, int(ours), {TTL: ttl.seconds})
            yield ImportNoun.DOMAIN, names[ttl.domain_id], str(ttl.domain_id), annotation


def _of_nodes(state: ImportState) -> Iterator[tuple[ImportNoun, str, str, Kept]]:
    devices = {device.system_id: device for device in state.source.devices}
    nics = _nics(state)
    for node in sorted(state.source.nodes, key=lambda node: node.system_id):
        ours = state.nodes.get(node.system_id)
        values = _device_values(state, devices.get(node.system_id))
        if nics.get(node.system_id):
            values[NICS] = nics[node.system_id]
        if ours is None:
            continue
        if len(json.dumps(values.get(NICS, {}))) > MAX_NICS_BYTES:
            del values[NICS]
            state.notes.append(f"{node.hostname}: too many links and parameters of interfaces to keep")
        noun = ImportNoun.MACHINE if node.kind is NodeKind.MACHINE else ImportNoun.NODE
        if values:
            yield noun, node.hostname, node.system_id, Kept(Annotated.NODE, str(ours), values)


def _device_values(state: ImportState, device: SourceDevice | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if device is None:
        return values
    if device.owner:
        values[OWNER] = device.owner
    parent = None if device.parent is None else state.nodes.get(device.parent)
    if parent is not None:
        values[PARENT] = str(parent)
    return values


def _nics(state: ImportState) -> Mapping[SystemId, dict[str, dict[str, Any]]]:
    """Collect the annotations of NICs by node and name."""
    annotations: dict[SystemId, dict[str, dict[str, Any]]] = {}

    def values_of(item: SourceLink | SourceParameter) -> dict[str, Any]:
        return annotations.setdefault(item.system_id, {}).setdefault(item.interface_name, {})

    for link in state.source.links:
        if not _has_valid_name(link):
            continue
        if link.mode is LinkMode.STATIC and link.ip is not None:
            values_of(link).setdefault(STATIC, []).append(str(link.ip))
        elif link.mode is not LinkMode.STATIC and link.ip is None:
            values_of(link).setdefault(LINKS, []).append(_link(link))
    for parameter in state.source.parameters:
        if _has_valid_name(parameter):
            values_of(parameter).setdefault(PARAMS, {})[parameter.name] = parameter.value
    return annotations


def _has_valid_name(item: SourceLink | SourceParameter) -> bool:
    return 1 <= len(item.interface_name) <= _MAX_NAME and item.interface_name.isprintable()


def _link(link: SourceLink) -> dict[str, str]:
    """Describe a link. It names the subnet by CIDR, because an import may change ids."""
    subnet = {} if link.subnet is None else {"subnet": str(link.subnet)}
    return {"mode": link.mode.value, **subnet}
