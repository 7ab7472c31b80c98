"""Reads the VLAN settings of Linux bridges with `vlan_filtering` and of Open vSwitch bridges."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hostloom.hostscan.openvswitch import OvsPort
from hostloom.model.network import MAX_VID, UNTAGGED
from hostloom.model.node import BridgeVlans

Spans = tuple[tuple[int, int], ...]
_ALL: Spans = ((1, MAX_VID),)
#: The default PVID of ports on a Linux bridge.
_DEFAULT_PVID = 1


@dataclass(frozen=True)
class PortVlans:
    """VLAN settings of one bridge port."""

    #: VLAN of incoming untagged frames; None if they are dropped.
    pvid: int | None
    #: The VLAN that is untagged in both directions.
    native_vid: int | None
    carried: Spans


def parse_port_vlans(text: str) -> dict[str, PortVlans] | None:
    """The output of `bridge -j vlan show` by port; None without output."""
    if not text:
        return None
    document = json.loads(text)
    # Before 5.1, iproute2 writes an object with the ports' names as keys.
    is_object = isinstance(document, dict)
    rows = document.items() if is_object else ((row["ifname"], row["vlans"]) for row in document)
    return {name: _port(entries) for name, entries in rows}


def _port(entries: Iterable[Mapping[str, Any]]) -> PortVlans:
    pvid, untagged, carried = None, set(), []
    for entry in entries:
        first, flags = _vid(entry["vlan"]), entry.get("flags", [])
        if "PVID" in flags:
            pvid = first
        if "Egress Untagged" in flags:
            untagged.add(first)
        else:
            carried.append((first, _vid(entry.get("vlanEnd", first))))
    return PortVlans(pvid, pvid if pvid in untagged else None, _merged(carried))


def _merged(spans: Iterable[tuple[int, int]]) -> Spans:
    """Sort the ranges and join adjacent ones, because programs may list VLANs one by one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return tuple(merged)


def _vid(value: Any) -> int:
    vid = int(value)
    if not UNTAGGED <= vid <= MAX_VID:
        raise ValueError(f"VLAN {vid}, where 0 to {MAX_VID} are possible")
    return vid


def linux_bridge_vlans(
    name: str, link: Mapping[str, Any], nics: Iterable[str], ports: Mapping[str, PortVlans] | None
) -> BridgeVlans | None:
    """VLANs of a Linux bridge with these NICs as ports; None if it forwards every frame unchanged."""
    data = link.get("linkinfo", {}).get("info_data", {})
    if not data.get("vlan_filtering"):
        return None
    machine_vid = _vid(data.get("vlan_default_pvid", _DEFAULT_PVID)) or None
    if ports is None:
        return BridgeVlans(machine_vid, machine_vid, machine_vid, _ALL, is_read=False)
    nothing = PortVlans(None, None, ())
    host_vid = ports.get(name, nothing).pvid
    native_vid, carried = _joined([ports.get(nic, nothing) for nic in nics], machine_vid)
    # Tags of 802.1ad are not VLANs of the fabric.
    is_stacked = data.get("vlan_protocol", "802.1Q").lower() == "802.1ad"
    return BridgeVlans(machine_vid, host_vid, native_vid, () if is_stacked else carried)


def ovs_bridge_vlans(local: OvsPort | None, nics: Iterable[OvsPort]) -> BridgeVlans:
    """VLANs of an Open vSwitch bridge, from its own port and the ports that are NICs of the host."""
    native_vid, carried = _joined([_ovs_port(nic) for nic in nics], UNTAGGED)
    host_vid = UNTAGGED if local is None else _ovs_port(local).pvid
    return BridgeVlans(UNTAGGED, host_vid, native_vid, carried)


def _ovs_port(port: OvsPort) -> PortVlans:
    """The port's `vlan_mode`, `tag` and `trunks` (ovs-vswitchd.conf.db(5), table Port)."""
    vid = port.tag_vid or UNTAGGED
    mode = port.vlan_mode or ("trunk" if port.tag_vid is None else "access")
    carried = _carried(port)
    match mode:
        case "access":
            return PortVlans(vid, vid, ())
        case "trunk":
            native = UNTAGGED if not port.trunks or UNTAGGED in port.trunks else None
            return PortVlans(native, native, carried)
        case "native-untagged":
            return PortVlans(vid, vid, carried)
        case "native-tagged":
            return PortVlans(vid, None, (*carried, (vid, vid)))
        case _:
            # A dot1q-tunnel port adds a second tag to every incoming frame, so it carries no VLAN of the
            # fabric.
            return PortVlans(None, None, ())


def _carried(port: OvsPort) -> Spans:
    """The tagged VLANs of a trunk; without a list it carries all."""
    if not port.trunks:
        return _ALL
    return tuple((vid, vid) for vid in port.trunks if vid != UNTAGGED)


def _joined(nics: list[PortVlans], machine_vid: int | None) -> tuple[int | None, Spans]:
    """Merge the ports; if they disagree about the untagged VLAN, the machines' one counts."""
    if not nics:
        return machine_vid, _ALL
    natives = {nic.native_vid for nic in nics}
    native = machine_vid if machine_vid in natives else natives.pop() if len(natives) == 1 else None
    return native, _merged(span for nic in nics for span in nic.carried)
