"""Operations that change a machine which exists: at most one of them works on a machine at any time."""

from hostloom.model.errors.resources import WrongState
from hostloom.model.machine import Machine
from hostloom.model.operation import Operation
from hostloom.ports.store import UnitOfWork
from hostloom.sagas.commission import COMMISSION
from hostloom.sagas.decompose import DECOMPOSE
from hostloom.sagas.deploy import DEPLOY
from hostloom.sagas.deploy_bare import DEPLOY_BARE
from hostloom.sagas.erase_bare import ERASE_BARE
from hostloom.sagas.release import RELEASE

IN_OPERATION = "wait until its operation has ended"
_SAGAS = frozenset(saga.name for saga in (COMMISSION, DECOMPOSE, DEPLOY, DEPLOY_BARE, ERASE_BARE, RELEASE))


def subject_of(machine: Machine) -> str:
    """The subject of an operation on the machine."""
    return f"machine {machine.hostname}"


def unfinished_operation(uow: UnitOfWork, machine: Machine) -> Operation | None:
    """The operation that works on the machine, or will; without its input and outputs."""
    for operation in uow.operations.list(unfinished=True, with_data=False):
        if operation.saga in _SAGAS and operation.subject == subject_of(machine):
            return operation
    return None


def require_no_operation(uow: UnitOfWork, machine: Machine) -> None:
    """Raise WrongState while an operation works on the machine.

    The state of the machine is not enough, because it changes only when the operation begins. Who records
    another operation after this check holds the lock of the world.
    """
    if unfinished_operation(uow, machine) is not None:
        raise WrongState("machine", machine.hostname, machine.state, IN_OPERATION)
