"""`machines/{system_id}/`: `deploy` and `abort`."""

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import OFF, Param, Unsupported
from hostloom.compat.maas2.disk_images import choose
from hostloom.compat.maas2.handlers.allocation import BRIDGES, refuse_bridges
from hostloom.compat.maas2.handlers.machines import COMMENT, find, machine, machines, show
from hostloom.compat.maas2.responses import MaasResponse, refuse
from hostloom.compat.maas2.user_data import read_user_data
from hostloom.compat.maas2.views.machines import AGENT_NAME
from hostloom.compat.maas2.waiting import WAIT_TIMEOUT_S, wait, wait_for_end
from hostloom.model.annotation import Annotated
from hostloom.model.deployment import DeployRequest
from hostloom.model.machine import MachineState
from hostloom.services import annotations, commissioning, deploy, disk_images

#: The resources with the actions of this module.
RESOURCES = (machines, machine)

_NO_HOST = (
    "hostloom does not make KVM hosts of machines. For a KVM host, install libvirt on a computer and "
    "add it with `vm-hosts create`."
)


@machine.op(
    "POST",
    "deploy",
    "Install a disk image on a machine; the previous content of the disk is lost.",
    Param(
        "distro_series",
        "The disk image by name, release, codename or `OS/SERIES`; the newest one by default.",
    ),
    Param("osystem", "System of the disk image, such as `debian`; `custom` for any image by name."),
    Param("user_data", "Data for cloud-init, as Base64; it may be compressed with gzip."),
    Param("hwe_kernel", "Accepted and ignored, with a warning event: the image contains its kernel."),
    Param("agent_name", "Name of the client's agent; stored with the machine."),
    Param("install_kvm", "Must be false: hostloom does not make KVM hosts of machines.", "Boolean"),
    Param("register_vmhost", "Must be false, like `install_kvm`.", "Boolean"),
    *(Param(name, "Must be empty or false: hostloom makes no bridges inside machines.") for name in BRIDGES),
    COMMENT,
    unsupported=(
        Unsupported("ephemeral_deploy", "hostloom installs systems on disks only: omit the field.", OFF),
        Unsupported(
            "enable_hw_sync", "hostloom does not monitor the systems inside machines: omit the field.", OFF
        ),
        Unsupported("install_rackd", "hostloom does not make rack controllers of machines.", OFF),
        Unsupported("vcenter_registration", "hostloom does not know vCenter: omit the field.", OFF),
    ),
)
def deploy_machine(call: Call) -> MaasResponse:
    """Return the deploying machine; a machine without owner is allocated to the caller."""
    form = call.form
    if form.flag("install_kvm") or form.flag("register_vmhost"):
        raise refuse(409, _NO_HOST)
    refuse_bridges(form)
    user_data = read_user_data(form)
    with call.begin() as uow:
        item = find(call, uow)
        images = disk_images.list_(uow, call.principal)
    osystem, series = ((form.text(name) or "").strip() for name in ("osystem", "distro_series"))
    image = choose(images, item, osystem, series)
    request = DeployRequest(image.name, user_data=user_data)
    operation = deploy.start(call.ports, call.principal, item.system_id, request)
    wait(call, operation, step="mark")
    with call.begin() as uow:
        if kernel := form.text("hwe_kernel"):
            deploy.record_ignored(uow, call.ports, item, "hwe_kernel", kernel)
        if agent := form.text("agent_name"):
            annotations.merge(uow, call.principal, Annotated.NODE, item.system_id, {AGENT_NAME: agent})
        uow.commit()
    return _again(call)


@machine.op("POST", "abort", "Abort the commissioning or the deployment of a machine.", COMMENT)
def abort(call: Call) -> MaasResponse:
    """Return the machine in its previous state; a machine whose deployment is aborted keeps its owner."""
    with call.begin() as uow:
        item = find(call, uow)
    if item.state is not MachineState.DEPLOYING:
        with call.begin() as uow:
            commissioning.abort(uow, call.principal, item.system_id)
            uow.commit()
        return _again(call)
    operation = deploy.abort(call.ports, call.principal, item.system_id)
    if not wait_for_end(call, operation, WAIT_TIMEOUT_S):
        return _again(call)
    with call.begin() as uow:
        is_deploying = find(call, uow).state is MachineState.DEPLOYING
    if is_deploying:
        # It was too late to cancel the operation, so the machine started: take it out of use.
        wait(call, deploy.abort(call.ports, call.principal, item.system_id))
    return _again(call)


def _again(call: Call) -> MaasResponse:
    with call.begin() as uow:
        return show(uow, find(call, uow))
