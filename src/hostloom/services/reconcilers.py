"""The reports of this server's reconcilers."""

from collections.abc import Sequence

from hostloom.model.access import Principal
from hostloom.model.reconciler import Reconciler
from hostloom.services.access import require_user


def list_(principal: Principal, reconcilers: Sequence[Reconciler]) -> list[Reconciler]:
    """All of them, by name."""
    require_user(principal, "see reconcilers")
    return list(reconcilers)
