"""Boot files and scripts over HTTP, and the reports of machines that came up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from hostloom.boot.scripts import MachineBoot, chain_script, machine_script, unknown_script
from hostloom.model.errors import InvalidValue
from hostloom.model.ids import MacAddress
from hostloom.model.network import Address

MAX_FIELD = 255


@dataclass(frozen=True)
class Report:
    """A machine says that it is up."""

    mac: MacAddress
    #: The address that it has, and the one that its report came from.
    ip: Address | None
    seen_from: str
    hostname: str
    uptime_s: float


def create_boot_app(
    files: Mapping[str, Path],
    machine_of: Callable[[MacAddress], MachineBoot | None],
    on_report: Callable[[Report], None],
) -> Starlette:
    """The ASGI app; `files` are served by name (`kernel`, `initrd`), with HEAD and ranges."""

    async def boot(request: Request) -> Response:
        return PlainTextResponse(chain_script(_base_url(request)))

    async def machine(request: Request) -> Response:
        try:
            mac = MacAddress.parse(request.path_params["mac"])
        except InvalidValue as error:
            return PlainTextResponse(f"{error}\n", 400)
        found = await run_in_threadpool(machine_of, mac)
        if found is None:
            return PlainTextResponse(unknown_script(mac))
        return PlainTextResponse(machine_script(found, mac, _base_url(request)))

    async def file(request: Request) -> Response:
        path = files.get(request.path_params["name"])
        if path is None or not path.is_file():
            return PlainTextResponse("there is no such boot file\n", 404)
        return FileResponse(path, media_type="application/octet-stream")

    async def report(request: Request) -> Response:
        try:
            found = _report(request)
        except (InvalidValue, ValueError) as error:
            return PlainTextResponse(f"{error}\n", 400)
        await run_in_threadpool(on_report, found)
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route("/boot.ipxe", boot),
            Route("/machine/{mac}.ipxe", machine),
            Route("/files/{name}", file),
            Route("/report", report, methods=["GET", "POST"]),
        ]
    )


def _base_url(request: Request) -> str:
    """The address that the machine reached us at is the one that it can reach."""
    return f"http://{request.url.netloc}"


def _report(request: Request) -> Report:
    query = request.query_params
    ip = _field(query, "ip").partition("/")[0]
    return Report(
        mac=MacAddress.parse(_field(query, "mac")),
        ip=ip_address(ip) if ip else None,
        seen_from=request.client.host if request.client else "",
        hostname=_field(query, "hostname"),
        uptime_s=float(_field(query, "uptime") or 0),
    )


def _field(query: QueryParams, name: str) -> str:
    text = query.get(name, "")
    if len(text) > MAX_FIELD or not text.isprintable():
        raise InvalidValue(name, text[:20], f"at most {MAX_FIELD} printable characters")
    return text
