"""Refresh: read a host again and record changes; it never deletes machines or disks."""

from dataclasses import dataclass

from hostloom.ports.store import UnitOfWork
from hostloom.recording.host_readings import find_host, observe_host
from hostloom.recording.observation import Observation
from hostloom.recording.record import record_observation
from hostloom.sagas.saga import Run, Saga, Step


@dataclass(frozen=True)
class RefreshInput:
    """The host, by name."""

    host: str


def _record(run: Run[RefreshInput], uow: UnitOfWork) -> None:
    record_observation(uow, run.ports, find_host(uow, run.input.host), run.output(OBSERVE))


OBSERVE = Step[RefreshInput, Observation](
    "observe", Observation, do=lambda run: observe_host(run.ports, run.input.host)
)
RECORD = Step[RefreshInput, None]("record", rows=_record)

REFRESH = Saga("refresh", RefreshInput, (OBSERVE, RECORD))
