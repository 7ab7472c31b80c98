"""Documents of deployments."""

from typing import Self

from hostloom.api.forms import Out
from hostloom.api.shapes.machines import DiskOut
from hostloom.services.deploy import DeployPlan


class DeployPlanOut(Out):
    """What a deployment does.

    `wiped` is the disk whose content is lost. The image is copied to `copy_pool` of the host first, unless it
    is there (`is_copied`). A machine that does not report (`reports`) counts as deployed when it is started.
    """

    machine: str
    host: str
    state: str
    image: str
    title: str
    image_size_bytes: int
    user: str
    ssh_keys: int
    wiped: DiskOut
    copy_pool: str
    is_copied: bool
    reports: bool

    @classmethod
    def of(cls, item: DeployPlan) -> Self:
        """Of the service's plan."""
        return cls(
            machine=item.machine.hostname,
            host=item.host.name,
            state=item.machine.state,
            image=item.image.name,
            title=item.image.title,
            image_size_bytes=item.image.size_bytes,
            user=item.request.user or item.image.default_user,
            ssh_keys=len(item.request.ssh_keys),
            wiped=DiskOut.made(item.wiped),
            copy_pool=item.copy_pool,
            is_copied=item.is_copied,
            reports=item.reports,
        )
