"""Decides what a machine boots from the network now, and issues a token if it should report."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hostloom.decide.machines.boot import BootDecision, decide_boot, decide_strangers_boot
from hostloom.model.commissioning import BootAction, BootToken, hash_secret
from hostloom.model.errors.stale import Stale
from hostloom.model.ids import MacAddress
from hostloom.model.machine import Machine
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import ROW_ATTEMPTS

#: Time limit for the report after the script was served.
TOKEN_LIFE_S = 3600.0
#: The same for writing a disk, which sends many reports.
DEPLOY_TOKEN_LIFE_S = 6 * 3600.0
_REPORTING = frozenset({BootAction.COMMISSION, BootAction.ENLIST, BootAction.DEPLOY})


@dataclass(frozen=True)
class BootNow:
    """A machine's current network boot."""

    decision: BootDecision
    machine: Machine | None
    #: Token for a report; empty: the machine does not report.
    secret: str = field(default="", repr=False)


def boot_now(
    ports: Ports, mac: MacAddress, *, enlist: bool, has_image: Callable[[Machine | None], bool]
) -> BootNow:
    """Decide, and record a new token for the NIC, or that a rescue boot was used.

    If no image exists for the machine, nothing is recorded, and a requested boot remains pending.
    """
    left = ROW_ATTEMPTS
    while True:
        left -= 1
        try:
            with ports.store.begin() as uow:
                decision = _decide(uow, mac, enlist=enlist)
                if decision.decision.action is not BootAction.LOCAL and has_image(decision.machine):
                    decision = _prepare(uow, ports, mac, decision)
                    uow.commit()
                return decision
        except Stale:
            if not left:
                raise


def _decide(uow: UnitOfWork, mac: MacAddress, *, enlist: bool) -> BootNow:
    machine = uow.machines.find_by_mac(mac)
    if machine is None:
        is_node = uow.nodes.find_by_mac(mac) is not None
        return BootNow(decide_strangers_boot(is_node=is_node, enlist=enlist), None)
    commissioned = machine.system_id in uow.commissionings.times([machine.system_id])
    return BootNow(decide_boot(machine, commissioned=commissioned), machine)


def _prepare(uow: UnitOfWork, ports: Ports, mac: MacAddress, decision: BootNow) -> BootNow:
    machine, action = decision.machine, decision.decision.action
    if action is BootAction.RESCUE and machine is not None:
        uow.machines.update(replace(machine, next_boot=None))
    if action not in _REPORTING:
        return decision
    now, secret = ports.clock.now(), ports.ids.secret()
    life_s = DEPLOY_TOKEN_LIFE_S if action is BootAction.DEPLOY else TOKEN_LIFE_S
    system_id = None if machine is None else machine.system_id
    uow.commissionings.permit(BootToken(hash_secret(secret), mac, system_id, now + life_s), now)
    return replace(decision, secret=secret)
