"""The seed disk of a machine that is deployed, and the token with which the machine reports."""

from collections.abc import Callable
from typing import Any

from hostloom.decide.deploy.addressing import composed_interfaces, enlisted_interfaces
from hostloom.decide.deploy.phone_home import PhoneHome
from hostloom.decide.deploy.report_address import report_address
from hostloom.decide.deploy.seed import SeedInput, render_seed
from hostloom.decide.deploy.static_routes import static_routes
from hostloom.model.annotation import Annotated
from hostloom.model.deployment import SEED_DISK, Deployment, DeployRequest
from hostloom.model.disk_image import DiskImage
from hostloom.model.errors.outside import SeedDiskFailed
from hostloom.model.machine import Disk, Machine, MachineOrigin
from hostloom.model.network import Address
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.deployments import new_deployment
from hostloom.sagas.saga import Run


def seed_disk_of(machine: Machine) -> Disk:
    """The machine's seed disk."""
    return next(disk for disk in machine.disks if disk.name == SEED_DISK)


def report_token(ports: Ports, machine: Machine, instance_id: str) -> str:
    """The token of one deployment; derived, so that it is never stored. Empty without a server's secret."""
    if ports.secrets is None:
        return ""
    return ports.secrets.derive(f"deployment {machine.system_id} {instance_id}")


def begin_deployment(
    run: Run[Any], machine: Machine, request: DeployRequest, image: DiskImage, *, reports: bool
) -> Deployment:
    """The deployment of a machine by this operation, at its beginning; `reports`: the machine can report."""
    instance_id = f"{machine.system_id}-{run.operation.id}"
    token = report_token(run.ports, machine, instance_id) if reports else ""
    return new_deployment(machine, request, image, instance_id, token, run.ports.clock.now())


def report_addresses(uow: UnitOfWork, ports: Ports) -> Callable[[Machine], Address | None]:
    """A function that says where a machine can report, or None; the network is read once for all machines."""
    if not ports.settings.boot_port or ports.secrets is None:
        return lambda _machine: None
    snapshot, racks = uow.snapshot(), uow.racks.list()
    return lambda machine: report_address(snapshot, racks, ports.settings.local, machine.interfaces)


def address_for_reports(uow: UnitOfWork, ports: Ports, machine: Machine) -> Address | None:
    """Where the machine can report; None: nowhere."""
    return report_addresses(uow, ports)(machine)


def build_seed(ports: Ports, machine: Machine, deployment: Deployment, base_url: str = "") -> bytes:
    """The content of the machine's seed disk; equal for equal records.

    `base_url`: where the machine reaches the boot port, if that is known better than by its addresses.
    """
    if ports.seed_disks is None:
        raise SeedDiskFailed("a seed disk", "this server makes none")
    with ports.store.begin() as uow:
        snapshot = uow.snapshot()
        node = uow.nodes.get(machine.system_id)
        domain = uow.domains.get(node.domain_id)
        routes = static_routes(uow.annotations.of(Annotated.SUBNET), snapshot)
        address = address_for_reports(uow, ports, machine)
    phone_home = None
    if address is not None and not base_url:
        literal = f"[{address}]" if address.version == 6 else str(address)
        base_url = f"http://{literal}:{ports.settings.boot_port}"
    if base_url:
        phone_home = PhoneHome(f"{base_url}/deployed", report_token(ports, machine, deployment.instance_id))
    if machine.origin is MachineOrigin.ENLISTED:
        interfaces = enlisted_interfaces(node.interfaces)
    else:
        interfaces = composed_interfaces(machine.interfaces, snapshot)
    seed_input = SeedInput(
        instance_id=deployment.instance_id,
        hostname=machine.hostname,
        interfaces=interfaces,
        snapshot=snapshot,
        domain=domain.name,
        routes=routes,
        user=deployment.user,
        ssh_keys=deployment.ssh_keys,
        user_data=deployment.user_data,
        phone_home=phone_home,
    )
    return ports.seed_disks.build(render_seed(seed_input).files)
