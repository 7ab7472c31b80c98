"""Finds the best complete assignment of candidates to labels, compared label by label.

See docs/explanation/rules.md#choosing-interfaces.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from hostloom.decide.deadline import tick
from hostloom.decide.placement.addresses import AddressIndex, wants_address
from hostloom.decide.placement.candidates import Candidate
from hostloom.decide.placement.matching import CandidateSet
from hostloom.decide.snapshot import Snapshot
from hostloom.model.attachment import AttachKind
from hostloom.model.ids import SubnetId
from hostloom.model.network import Address, Subnet

Given = tuple[tuple[Address, SubnetId], ...]


class Obstacle(StrEnum):
    """Why an assignment cannot be completed. Messages show the values."""

    #: In the order in which they are reported.
    NO_CANDIDATE = "no host interface for a later label"
    PASSTHRU = "a passthru conflict"
    NO_BOOTABLE_VLAN = "no NIC on a bootable VLAN"
    NO_ADDRESS = "no free address"


@dataclass(frozen=True)
class NicChoice:
    """The choice for one label."""

    candidate: Candidate
    #: Addresses with their subnets: the requested ones, or the next free one.
    addresses: Given


@dataclass(frozen=True)
class _State:
    """What earlier labels have taken."""

    #: Interfaces that labels of this request own, share, or use in any way.
    owned: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    boots: bool = False
    taken: frozenset[Address] = frozenset()


@dataclass(frozen=True)
class Assignment:
    """The result of the search."""

    chosen: tuple[NicChoice, ...]
    #: For each label: better candidates that were not taken, and why they could not complete the request.
    passed_over: tuple[tuple[tuple[Candidate, Obstacle], ...], ...]


@dataclass(frozen=True)
class Infeasible:
    """No assignment is complete; the label where the first choices fail."""

    obstacle: Obstacle
    #: The position of the label that fails.
    label: int
    first_choices: tuple[Candidate, ...]


class Search:
    """A depth-first search in order of preference that remembers states without a solution."""

    def __init__(
        self,
        snapshot: Snapshot,
        address_index: AddressIndex,
        options: tuple[CandidateSet, ...],
        *,
        netboot: bool,
    ) -> None:
        self._snapshot, self._address_index, self._options, self._netboot = (
            snapshot,
            address_index,
            options,
            netboot,
        )
        addresses = frozenset(ip for option in options for ip, _ in option.requirement.ip_subnets)
        self._start = _State(taken=addresses)
        self._dead: dict[object, Obstacle] = {}
        self._class = self._classes()
        self._can_boot_later = [
            any(c.bootable for later in options[index:] for c in later.candidates)
            for index in range(len(options) + 1)
        ]
        #: The interfaces for which labels with passthru compete; sharing others has no effect.
        self._contested = frozenset(
            c.source for option in options for c in option.candidates if option.is_exclusive(c)
        )

    def run(self) -> Assignment | Infeasible:
        """The best assignment, or the failure of the first choices if there is none."""
        first_choices = self._first_choices()
        if isinstance(first_choices, Infeasible) and first_choices.obstacle is Obstacle.NO_CANDIDATE:
            return first_choices
        chosen: list[NicChoice] = []
        passed: list[tuple[tuple[Candidate, Obstacle], ...]] = []
        state = self._start
        for index in range(len(self._options)):
            skipped: list[tuple[Candidate, Obstacle]] = []
            for candidate in self._preferred(index, state):
                step = self._take(index, candidate, state)
                obstacle = self._explore(index + 1, step[1]) if step else Obstacle.NO_ADDRESS
                if step is not None and obstacle is None:
                    chosen.append(step[0])
                    passed.append(tuple(skipped))
                    state = step[1]
                    break
                skipped.append((candidate, obstacle or Obstacle.NO_ADDRESS))
            else:
                if isinstance(first_choices, Infeasible):
                    return first_choices
                raise AssertionError("the first choices complete, so an assignment exists")
        return Assignment(tuple(chosen), tuple(passed))

    def _explore(self, index: int, state: _State) -> Obstacle | None:
        """None if the labels from `at` on can be completed, otherwise the obstacle."""
        if index == len(self._options):
            return Obstacle.NO_BOOTABLE_VLAN if self._netboot and not state.boots else None
        if self._netboot and not state.boots and not self._can_boot_later[index]:
            return Obstacle.NO_BOOTABLE_VLAN
        key = (index, state.boots, state.taken, self._host_class(state.owned), self._host_class(state.shared))
        if key not in self._dead:
            obstacle = self._explore_label(index, state)
            if obstacle is None:
                return None
            self._dead[key] = obstacle
        return self._dead[key]

    def _classes(self) -> dict[str, int]:
        """Interfaces that serve the same labels on the same VLAN are equivalent for completion."""
        traits: dict[str, list[object]] = {}
        for index, options in enumerate(self._options):
            for c in options.candidates:
                traits.setdefault(c.source, [c.kind, c.vlan_id, c.bootable]).append(index)
        numbers: dict[tuple[object, ...], int] = {}
        return {source: numbers.setdefault(tuple(trait), len(numbers)) for source, trait in traits.items()}

    def _host_class(self, sources: frozenset[str]) -> tuple[int, ...]:
        return tuple(sorted(self._class[source] for source in sources))

    def _explore_label(self, index: int, state: _State) -> Obstacle | None:
        worst = Obstacle.PASSTHRU if self._options[index].candidates else Obstacle.NO_CANDIDATE
        for candidate in self._preferred(index, state):
            tick()
            step = self._take(index, candidate, state)
            obstacle = Obstacle.NO_ADDRESS if step is None else self._explore(index + 1, step[1])
            if obstacle is None:
                return None
            worst = obstacle
        return worst

    def _preferred(self, index: int, state: _State) -> Iterator[Candidate]:
        """The remaining candidates of the label, best first.

        See docs/explanation/rules.md#choosing-interfaces.
        """
        options = self._options[index]
        free = [c for c in options.candidates if not self._is_busy(options, c, state)]
        return iter(sorted(free, key=lambda c: c.preference(state.used)))

    @staticmethod
    def _is_busy(options: CandidateSet, candidate: Candidate, state: _State) -> bool:
        if candidate.source in state.owned and candidate.kind is AttachKind.MACVLAN:
            return True
        return options.is_exclusive(candidate) and candidate.source in state.shared

    def _take(self, index: int, candidate: Candidate, state: _State) -> tuple[NicChoice, _State] | None:
        """The state after this choice; None if the NIC cannot get an address."""
        options = self._options[index]
        addresses = self._addresses(options, candidate, state.taken)
        if addresses is None:
            return None
        return NicChoice(candidate, addresses), self._after(options, candidate, addresses, state)

    def _after(self, options: CandidateSet, candidate: Candidate, addresses: Given, state: _State) -> _State:
        owned, shared = state.owned, state.shared
        if options.is_exclusive(candidate):
            owned = owned | {candidate.source}
        elif candidate.kind is AttachKind.MACVLAN and candidate.source in self._contested:
            shared = shared | {candidate.source}
        return _State(
            owned,
            shared,
            state.used | {candidate.source},
            state.boots or candidate.bootable,
            state.taken | {ip for ip, _ in addresses},
        )

    def _addresses(
        self, options: CandidateSet, candidate: Candidate, taken: frozenset[Address]
    ) -> Given | None:
        requirement = options.requirement
        if requirement.ip_subnets:
            return tuple(
                (ip, self._subnet_on(subnets, candidate).id) for ip, subnets in requirement.ip_subnets
            )
        vlan_id = candidate.vlan_id
        if vlan_id is None or not wants_address(requirement.label, self._snapshot, vlan_id):
            return ()
        free_address = self._address_index.next_free(vlan_id, requirement.named_subnets, taken)
        return None if free_address is None else ((free_address[0], free_address[1].id),)

    @staticmethod
    def _subnet_on(subnets: tuple[Subnet, ...], candidate: Candidate) -> Subnet:
        return next(subnet for subnet in subnets if subnet.vlan_id == candidate.vlan_id)

    def _first_choices(self) -> Infeasible | None:
        """Take every label's first choice, to find the code of the refusal."""
        state = self._start
        choices: list[Candidate] = []
        for index, options in enumerate(self._options):
            candidate = next(self._preferred(index, state), None)
            if candidate is None:
                kind = Obstacle.PASSTHRU if options.candidates else Obstacle.NO_CANDIDATE
                return Infeasible(kind, index, tuple(choices))
            choices.append(candidate)
            addresses = self._addresses(options, candidate, state.taken) or ()
            state = self._after(options, candidate, addresses, state)
        if self._netboot and not state.boots:
            return Infeasible(Obstacle.NO_BOOTABLE_VLAN, 0, tuple(choices))
        return self._first_without_address(tuple(choices))

    def _first_without_address(self, choices: tuple[Candidate, ...]) -> Infeasible | None:
        taken = self._start.taken
        for index, candidate in enumerate(choices):
            addresses = self._addresses(self._options[index], candidate, taken)
            if addresses is None:
                return Infeasible(Obstacle.NO_ADDRESS, index, choices)
            taken = taken | {ip for ip, _ in addresses}
        return None
