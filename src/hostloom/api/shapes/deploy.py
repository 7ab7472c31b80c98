"""Documents of deployments."""

from typing import Self

from hostloom.api.forms import Out
from hostloom.model.commissioning import FoundDisk
from hostloom.model.machine import Disk
from hostloom.services.deploy import DeployPlan


class WipedDiskOut(Out):
    """A disk whose content is lost: a volume in a pool, or a disk of a bare machine; size in bytes."""

    name: str
    size_bytes: int
    pool: str = ""
    volume: str = ""
    model: str = ""
    serial: str = ""

    @classmethod
    def of(cls, item: Disk | FoundDisk) -> Self:
        """Of the model."""
        if isinstance(item, Disk):
            return cls(name=item.name, size_bytes=item.size_bytes, pool=item.pool, volume=item.volume)
        return cls(name=item.name, size_bytes=item.size_bytes, model=item.model, serial=item.serial)


class DeployPlanOut(Out):
    """What a deployment does.

    `wiped` is the disk whose content is lost. The image is copied to `copy_pool` of the host first, unless it
    is there (`is_copied`). A bare machine has no host and no `copy_pool`. A machine that does not report
    (`reports`) counts as deployed when it is started.
    """

    machine: str
    host: str
    state: str
    image: str
    title: str
    image_size_bytes: int
    user: str
    ssh_keys: int
    wiped: WipedDiskOut
    copy_pool: str
    is_copied: bool
    reports: bool

    @classmethod
    def of(cls, item: DeployPlan) -> Self:
        """Of the service's plan."""
        return cls(
            machine=item.machine.hostname,
            host=item.host.name if item.host else "",
            state=item.machine.state,
            image=item.image.name,
            title=item.image.title,
            image_size_bytes=item.image.size_bytes,
            user=item.request.user or item.image.default_user,
            ssh_keys=len(item.request.ssh_keys),
            wiped=WipedDiskOut.of(item.wiped),
            copy_pool=item.copy_pool,
            is_copied=item.is_copied,
            reports=item.reports,
        )
