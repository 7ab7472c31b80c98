"""The live state as a world file, for bug reports and what-if questions."""

from typing import Any

from hostloom.model.access import Principal
from hostloom.ports.store import UnitOfWork
from hostloom.services.access import require_admin
from hostloom.simulation.dump_world import dump_world


def export(uow: UnitOfWork, principal: Principal) -> dict[str, Any]:
    """The document of a world file; `hostloom simulate` reads it."""
    require_admin(principal, "export the world")
    return dump_world(uow.snapshot())
