"""Checks one label of a request on all host classes of a fleet at once."""

from dataclasses import dataclass, field

from hostloom.decide.fleet.host_class_table import NONE, HostClassTable, Numbers
from hostloom.decide.fleet.host_classes import HostClass
from hostloom.decide.placement.addresses import AddressIndex, wants_address
from hostloom.decide.placement.candidates import NETWORK_ORDER
from hostloom.decide.placement.matching import CandidateSet, NicRequirement, empty_code, match
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.ids import VlanId
from hostloom.model.reasons import RequestCode


@dataclass(frozen=True)
class LabelChoice:
    """Host classes by the candidates of the label."""

    any: Numbers
    #: Classes with a bridge or network, which is preferred to macvtap.
    direct: Numbers
    #: Classes with a candidate on a bootable VLAN; classes with the preferred one there.
    boots: Numbers
    first_boots: Numbers


@dataclass(frozen=True)
class LabelSets:
    """The results of one label by number of the host class."""

    #: Whatever comes of addresses; and of that, where every address can be had.
    matching: LabelChoice
    live: LabelChoice
    #: The code of host classes without candidates, if it is not `no-matching-interface`.
    codes: dict[int, RequestCode] = field(default_factory=dict)
    #: Host classes that are tried one by one: their addresses may run out while the request is placed, or
    #: they offer several networks.
    intricate: Numbers = NONE
    #: Host classes with a candidate, except for an address.
    short: Numbers = NONE
    #: Traits of the label's candidates.
    traits: Numbers = NONE


@dataclass(frozen=True)
class Scope:
    """The data that labels are compared with."""

    snapshot: Snapshot
    address_index: AddressIndex
    table: HostClassTable
    #: Maximum number of addresses of the whole request.
    addresses: int

    def is_dead(self, requirement: NicRequirement, vlan_id: VlanId | None) -> bool:
        """Whether the label would get no address there."""
        return self._lacks(requirement, vlan_id, 1)

    def is_tight(self, requirement: NicRequirement, vlan_id: VlanId | None) -> bool:
        """Whether the VLAN may have too few addresses for the whole request."""
        return self._lacks(requirement, vlan_id, self.addresses)

    def _lacks(self, requirement: NicRequirement, vlan_id: VlanId | None, count: int) -> bool:
        if vlan_id is None or not wants_address(requirement.label, self.snapshot, vlan_id):
            return False
        return not self.address_index.has_room(vlan_id, requirement.named_subnets, count)


def label_sets(scope: Scope, requirement: NicRequirement, used: Numbers) -> LabelSets:
    """Compare the label with the host classes; `used` are the classes of current hosts."""
    if requirement.label.attach is AttachKind.NETWORK:
        return _network_sets(scope, requirement, used)
    table = scope.table
    traits = _meeting(table, requirement)
    free = traits - (table.held | table.shared if _is_passthru(requirement) else table.held)
    vlans = set(map(table.vlans.__getitem__, free))
    dead = [vlan_id for vlan_id in vlans if scope.is_dead(requirement, vlan_id)]
    tight = [vlan_id for vlan_id in vlans if vlan_id not in dead and scope.is_tight(requirement, vlan_id)]
    on_dead = free & NONE.union(*(table.by_vlan[vlan_id] for vlan_id in dead))
    on_tight = free & NONE.union(*(table.by_vlan[vlan_id] for vlan_id in tight))
    matching = _choice(table, free)
    live = _choice(table, free - on_dead) if on_dead else matching
    codes = dict.fromkeys(table.having(traits - free) - matching.any, RequestCode.PASSTHRU_IN_USE)
    return LabelSets(matching, live, codes, table.having(on_tight), table.having(on_dead), free)


def _is_passthru(requirement: NicRequirement) -> bool:
    return requirement.label.macvlan_mode is MacvlanMode.PASSTHRU


def _meeting(table: HostClassTable, requirement: NicRequirement) -> Numbers:
    """Traits of the label's candidates, regardless of `passthru`."""
    sets = [table.meeting(group) for group in requirement.groups]
    if not requirement.names_interface:
        sets.append(table.all_traits - table.container_bridges)
    bridges = table.bridges
    if requirement.label.attach is AttachKind.BRIDGE:
        sets.append(bridges)
    if requirement.label.attach is AttachKind.MACVLAN:
        sets.append(table.all_traits - bridges)
    if requirement.ip_vlans is not None:
        sets.append(NONE.union(*(table.by_vlan.get(ip_vlan, NONE) for ip_vlan in requirement.ip_vlans)))
    return frozenset.intersection(*sets) if sets else table.all_traits


def _choice(table: HostClassTable, traits: Numbers) -> LabelChoice:
    preferred = [[table.having(traits & numbers) for numbers in pair] for pair in table.by_preference]
    bridges, bonds, rest = (served | other for served, other in preferred)
    boots = [served for served, _ in preferred]
    return LabelChoice(
        bridges | bonds | rest,
        bridges,
        NONE.union(*boots),
        boots[0] | (boots[1] - bridges) | (boots[2] - bridges - bonds),
    )


# -- attach=network --------------------------------------------------------------------------------------


def _network_sets(scope: Scope, requirement: NicRequirement, used: Numbers) -> LabelSets:
    """The sets of a label with attach=network; host classes with equal networks are judged once."""
    label = requirement.label
    names = NETWORK_ORDER if label.network is None else (label.network,)
    alike: dict[tuple[int | None, ...], list[int]] = {}
    for number in used:
        networks = scope.table.networks_of[number]
        alike.setdefault(tuple(networks.get(name) for name in names), []).append(number)
    judged = [
        (_judge(scope, requirement, scope.table.classes[members[0]]), members) for members in alike.values()
    ]
    matching = _gather([(first, members) for (first, _, _), members in judged])
    live = _gather([(first, members) for (_, first, _), members in judged])
    codes = {}
    for (first, _, options), members in judged:
        if first is None:
            codes.update(dict.fromkeys(members, empty_code(options)[0]))

    def needs_search(options: CandidateSet) -> bool:
        candidates = options.candidates
        return len(candidates) > 1 or any(scope.is_tight(requirement, c.vlan_id) for c in candidates)

    intricate = NONE.union(*(members for (_, _, options), members in judged if needs_search(options)))
    return LabelSets(matching, live, codes, intricate, matching.any - live.any)


def _judge(
    scope: Scope, requirement: NicRequirement, host_class: HostClass
) -> tuple[bool | None, bool | None, CandidateSet]:
    """Whether the only network boots, or None without one; the same where it has an address; all of it."""
    options = match(host_class.view, requirement)
    first = options.candidates[0] if options.candidates else None
    boots = None if first is None else first.bootable
    is_dead = first is not None and scope.is_dead(requirement, first.vlan_id)
    return boots, None if is_dead else boots, options


def _gather(judged: list[tuple[bool | None, list[int]]]) -> LabelChoice:
    union = NONE.union(*(numbers for boots, numbers in judged if boots is not None))
    boots = NONE.union(*(numbers for boots, numbers in judged if boots))
    return LabelChoice(union, union, boots, boots)
