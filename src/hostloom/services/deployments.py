"""Deployments: what users want to be installed, the reports of machines, and overdue reports."""

import re
from contextlib import suppress
from dataclasses import replace

from hostloom.decide.deploy.user_data import check_user_data
from hostloom.model.access import Principal
from hostloom.model.commissioning import BootAction, hash_secret
from hostloom.model.deployment import (
    MAX_SSH_KEYS,
    MAX_SSH_KEYS_BYTES,
    Deployment,
    DeployReport,
    DeployRequest,
)
from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.permissions import ReportRefused
from hostloom.model.errors.stale import Stale
from hostloom.model.errors.values import InvalidValue
from hostloom.model.machine import Machine, MachineState
from hostloom.model.request import ComposeBatch
from hostloom.model.ssh_public_key import parse_public_key
from hostloom.ports.context import Ports
from hostloom.ports.store import UnitOfWork
from hostloom.recording.deployments import give_up_erasing, record_report, settle
from hostloom.recording.host_readings import hypervisor_of

#: What Debian's and the BSDs' useradd accept.
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
#: The end of the console's log that a failed deployment keeps.
CONSOLE_BYTES = 4096


def complete_batch(uow: UnitOfWork, principal: Principal, batch: ComposeBatch) -> ComposeBatch:
    """The batch with the user's own SSH keys where a machine gets an image and no keys; InvalidValue."""
    machines = []
    for request in batch.machines:
        deploy = request.deploy
        if deploy is not None:
            if not request.start:
                raise InvalidValue("start", False, "does not go with an image", "start the machine")
            if deploy.disk:
                problem = "is set for a new machine, which is deployed to its first disk"
                raise InvalidValue("disk", deploy.disk, problem, "leave it out")
            deploy = complete_request(uow, principal, deploy)
        machines.append(replace(request, deploy=deploy))
    return replace(batch, machines=tuple(machines))


def complete_request(uow: UnitOfWork, principal: Principal, request: DeployRequest) -> DeployRequest:
    """Check the request, and add the user's own SSH keys if it names none; InvalidValue."""
    if request.user and not _USER.fullmatch(request.user):
        allowed = "use 1 to 32 lower-case letters, digits, '_' and '-'; the first is a letter or '_'"
        raise InvalidValue("user", request.user, "is not a name of an account", allowed)
    check_user_data(request.user_data)
    keys = request.ssh_keys
    if not keys:
        user = uow.users.find(principal.name)
        keys = () if user is None else tuple(key.public_key for key in uow.user_ssh_keys.list(user.id))
    if not keys and not request.user_data.strip():
        hint = "name a key, or add one to your account with `hostloom ssh-key create`"
        raise InvalidValue("ssh_keys", None, "is empty: no one could log in", hint)
    if len(keys) > MAX_SSH_KEYS or sum(map(len, keys)) > MAX_SSH_KEYS_BYTES:
        allowed = f"give at most {MAX_SSH_KEYS} keys with {MAX_SSH_KEYS_BYTES // 1024} KiB together"
        raise InvalidValue("ssh_keys", None, f"has {len(keys)} keys", allowed)
    lines = tuple(dict.fromkeys(parse_public_key(key, "ssh_keys").line for key in keys))
    return replace(request, ssh_keys=lines)


# -- reports ---------------------------------------------------------------------------------------------


def knows_token(ports: Ports, token: str) -> bool:
    """Whether a machine may report with this token."""
    with ports.store.begin() as uow:
        return uow.deployments.find_by_token(hash_secret(token)) is not None


def take_report(ports: Ports, token: str, report: DeployReport) -> None:
    """Record that the system of a machine runs, or what went wrong; ReportRefused for an unknown token.

    A second report with the same token changes nothing.
    """
    with ports.store.begin() as uow:
        uow.lock_world()
        deployment = uow.deployments.find_by_token(hash_secret(token))
        if deployment is None:
            raise ReportRefused
        if deployment.reported_at is not None:
            return
        record_report(uow, ports, uow.machines.get(deployment.system_id), deployment, report)
        uow.commit()


# -- overdue reports -------------------------------------------------------------------------------------


def give_up_overdue(ports: Ports) -> None:
    """Mark deployments without a report as failed, and keep the console's last lines."""
    with ports.store.begin() as uow:
        overdue = uow.deployments.overdue(ports.clock.now())
    for deployment in overdue:
        # A machine that has changed meanwhile may have reported; the next check shows it.
        with suppress(Stale):
            _give_up(ports, deployment)


def _give_up(ports: Ports, deployment: Deployment) -> None:
    with ports.store.begin() as uow:
        machine = uow.machines.get(deployment.system_id)
    output = _console(ports, machine)
    with ports.store.begin() as uow:
        uow.lock_world()
        machine, current = uow.machines.get(machine.system_id), uow.deployments.find(machine.system_id)
        if current != deployment:
            return
        if machine.state is MachineState.DEPLOYING:
            timeout_s = ports.settings.deploy_timeout_s
            failure = f"no report came within {timeout_s:g} s; `hostloom machine show` has its console"
            settle(uow, ports, machine, replace(deployment, failure=failure, boot_output=output))
        elif machine.state is MachineState.RELEASING and machine.next_boot is BootAction.DEPLOY:
            failure = f"no report came within {ports.settings.deploy_timeout_s:g} s"
            give_up_erasing(uow, ports, machine, failure)
        else:
            uow.deployments.put(replace(deployment, deadline=None))
        uow.commit()


def _console(ports: Ports, machine: Machine) -> str:
    if machine.host_id is None:
        return ""
    try:
        return hypervisor_of(ports, machine).console_log(machine.uuid, CONSOLE_BYTES)
    except HostloomError as error:
        return f"the console could not be read: {error}"
