"""What the new system of a deployed machine does at its first boot: it reports to the boot server."""

import asyncio
from functools import partial
from typing import Any

import httpx

from hostloom.boot.http import BootCalls, create_boot_app
from hostloom.ports.context import Ports
from hostloom.sagas.seeds import report_token
from hostloom.services import deployments
from support.waiting import wait_until


def phone_home(ports: Ports, hostname: str, **report: Any) -> None:
    """Wait until the machine was started with its new system, and report as this does."""
    wait_until(lambda: _is_started(ports, hostname), f"{hostname} was started", 30)
    with ports.store.begin() as uow:
        machine = uow.machines.find(hostname)
        assert machine is not None
        deployment = uow.deployments.find(machine.system_id)
        assert deployment is not None
    token = report_token(ports, machine, deployment.instance_id)
    # Only the report is asked for: no machine boots from this server.
    calls = BootCalls(*([None] * 4), deployed=partial(deployments.take_report, ports))  # type: ignore[arg-type]
    app = create_boot_app(None, {}, calls)  # type: ignore[arg-type]
    body = {"host_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJfkk3RhL0BYmxo9ZKlCb3cb0bWg8hsY8Gn1x9P8hRkI"]}
    answer = asyncio.run(_post(app, body | report, token))
    assert answer.status_code == 200, answer.text


def _is_started(ports: Ports, hostname: str) -> bool:
    with ports.store.begin() as uow:
        machine = uow.machines.find(hostname)
        deployment = uow.deployments.find(machine.system_id) if machine else None
    return deployment is not None and deployment.is_started


async def _post(app: Any, body: dict[str, Any], token: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://boot") as client:
        return await client.post("/deployed", json=body, headers={"Authorization": f"Bearer {token}"})
