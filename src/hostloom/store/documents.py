"""Nested values that are stored as one JSON document in the row of their owner."""

from dataclasses import asdict
from typing import Any

from hostloom.model.drift import Drift
from hostloom.model.finding import Finding
from hostloom.model.host import Emulation, Forward, LibvirtNetwork, StoragePool
from hostloom.model.machine import Disk, DiskFormat
from hostloom.model.node import BridgeVlans
from hostloom.store.types import JsonText


def _as_dicts(items: Any) -> list[dict[str, Any]]:
    return [asdict(item) for item in items]


def _storage_pool(data: dict[str, Any]) -> StoragePool:
    return StoragePool(**{**data, "tags": tuple(data["tags"])})


def _libvirt_network(data: dict[str, Any]) -> LibvirtNetwork:
    forward = None if data["forward"] is None else Forward(data["forward"])
    return LibvirtNetwork(**{**data, "forward": forward, "parents": tuple(data.get("parents", ()))})


def _disk(data: dict[str, Any]) -> Disk:
    return Disk(**{**data, "format": DiskFormat(data["format"])})


def _bridge_vlans(data: dict[str, Any]) -> BridgeVlans:
    return BridgeVlans(**{**data, "carried": tuple((first, last) for first, last in data["carried"])})


BRIDGE_VLANS = JsonText(asdict, _bridge_vlans)
EMULATIONS = JsonText(_as_dicts, lambda found: tuple(Emulation(**each) for each in found))
STORAGE_POOLS = JsonText(_as_dicts, lambda found: tuple(_storage_pool(each) for each in found))
LIBVIRT_NETWORKS = JsonText(_as_dicts, lambda found: tuple(_libvirt_network(each) for each in found))
FINDINGS = JsonText(_as_dicts, lambda found: tuple(Finding(**each) for each in found))
DRIFT = JsonText(_as_dicts, lambda found: tuple(Drift(**each) for each in found))
POOL_TAGS = JsonText(
    lambda value: [[name, list(tags)] for name, tags in value],
    lambda found: tuple((name, tuple(tags)) for name, tags in found),
)
DISKS = JsonText(_as_dicts, lambda found: tuple(_disk(each) for each in found))
