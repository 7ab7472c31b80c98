"""Starts the verification of machines on the wire."""

from collections.abc import Sequence

from hostloom.model.access import Principal
from hostloom.model.errors.resources import WrongState
from hostloom.model.errors.values import InvalidValue
from hostloom.model.machine import Machine, MachineState
from hostloom.model.operation import Operation
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.saga import start_saga
from hostloom.sagas.verify import VERIFY, VerifyInput
from hostloom.services import machines
from hostloom.services.access import require_admin
from hostloom.services.machine_operations import IN_OPERATION

_MOVING = (MachineState.COMMISSIONING, MachineState.RELEASING)


def verify(
    ports: Ports, principal: Principal, keys: Sequence[str] = (), host: str | None = None
) -> Operation:
    """Record an operation that verifies these machines, those of a host, or all.

    Named machines must be on a host and not in an operation; otherwise such machines are skipped.
    """
    require_admin(principal, "verify machines")
    with ports.store.begin() as uow:
        if keys:
            subjects = [_named(uow, principal, key) for key in dict.fromkeys(keys)]
        else:
            host_machines = machines.list_(uow, principal, host=host)
            subjects = [
                machine
                for machine in host_machines
                if machine.host_id is not None and machine.state not in _MOVING
            ]
        if not subjects:
            raise InvalidValue(
                "machines",
                None,
                f"on {'any host' if host is None else f'host {host}'} cannot be verified now",
                "a machine must be on a host, with no operation under way",
            )
        verify_input = VerifyInput(tuple(machine.system_id for machine in subjects))
        operation = start_saga(uow, ports, principal, VERIFY, verify_input, _subject(subjects))
        uow.commit()
    return operation


def _named(uow: UnitOfWork, principal: Principal, key: str) -> Machine:
    machine = machines.get(uow, principal, key)
    if machine.host_id is None:
        raise WrongState("machine", machine.hostname, machine.origin, "only machines on a host are verified")
    if machine.state in _MOVING:
        raise WrongState("machine", machine.hostname, machine.state, IN_OPERATION)
    return machine


def _subject(subjects: Sequence[Machine]) -> str:
    more = f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""
    return f"machine {subjects[0].hostname}{more}"
