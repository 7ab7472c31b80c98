"""Serves boot files and scripts over HTTP, and accepts the reports of booted machines."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hostloom.boot.commissioning_report import parse_hardware
from hostloom.boot.deploy_report import parse_deploy_report
from hostloom.boot.disk_progress import DiskCalls, parse_disk_progress
from hostloom.boot.images import BootImages
from hostloom.boot.scripts import MachineBoot, chain_script, machine_script
from hostloom.boot.uptime_report import FIELDS, Report, parse_report
from hostloom.model.commissioning import FoundHardware
from hostloom.model.deployment import DeployReport
from hostloom.model.errors.permissions import ReportRefused, TooManyRequests
from hostloom.model.errors.server import DatabaseUnavailable
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import MacAddress

__all__ = ["BootCalls", "Report", "create_boot_app"]

MAX_FORM_BYTES = 4096
#: Enough for a machine with very many disks and an LLDP frame on each NIC.
MAX_HARDWARE_BYTES = 512 * 1024
MAX_DEPLOY_REPORT_BYTES = 256 * 1024
#: Enough for the last lines of a console.
MAX_PROGRESS_BYTES = 64 * 1024
_NO_STORE = {"Cache-Control": "no-store"}
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")


@dataclass(frozen=True)
class BootCalls:
    """Callbacks of the server; each may block, and runs in a thread."""

    #: Returns a machine's boot by MAC and client address; calling it has the effects of booting.
    boot: Callable[[MacAddress, str], MachineBoot]
    #: Accepts the report of a machine that is up.
    up: Callable[[Report], None]
    #: Accepts the hardware of a machine, with its token; returns the machine's next action.
    take_report: Callable[[str, FoundHardware], str]
    #: For machines that write their disks.
    disk: DiskCalls
    #: Checks before the body is read whether a machine with this token and address may report; raises
    #: ReportRefused or TooManyRequests.
    admit: Callable[[str, str], None] = lambda _secret, _seen_from: None
    #: Whether a client's address belongs to a served network.
    serves: Callable[[str], bool] = lambda _: True
    #: Accepts the report of a machine whose new system runs, with its token.
    deployed: Callable[[str, DeployReport], None] = lambda _secret, _report: None
    #: Like `admit`, for such a report.
    admit_deployed: Callable[[str, str], None] = lambda _secret, _seen_from: None


def create_boot_app(images: BootImages, loaders: Mapping[str, Path], calls: BootCalls) -> Starlette:
    """The ASGI app; files support HEAD, ranges and ETags."""
    boot = _BootHandlers(images, loaders, calls)
    app = Starlette(
        routes=[
            Route("/boot.ipxe", boot.first_script),
            Route("/machine/{mac}.ipxe", boot.machine_script),
            Route("/images/{image}/{name}", boot.image_file),
            Route("/boot/{name}", boot.loader),
            Route("/report", boot.report, methods=["GET", "POST"]),
            Route("/deployed", boot.deployed, methods=["POST"]),
            Route("/deployment", boot.orders),
            Route("/deployment/seed", boot.seed),
            Route("/deployment/stream", boot.stream),
            Route("/deploying", boot.deploying, methods=["POST"]),
            Route("/commissioning", boot.commissioning, methods=["POST"]),
        ],
        exception_handlers={
            InvalidValue: _refuse,
            ReportRefused: _forbid,
            TooManyRequests: _wait,
            DatabaseUnavailable: _unavailable,
        },
    )
    app.add_middleware(_Served, serves=calls.serves)
    return app


class _Served:
    """ASGI middleware that answers only machines of served networks."""

    def __init__(self, app: ASGIApp, serves: Callable[[str], bool]) -> None:
        self._app, self._serves = app, serves

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse other clients before anything is read or looked up."""
        refusal = await self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        client = scope.get("client")
        try:
            if client is not None and await run_in_threadpool(self._serves, _plain_address(client[0])):
                return None
        except DatabaseUnavailable as error:
            return _unavailable(None, error)
        message = "only machines of networks with our DHCP are served here (boot_networks: others)\n"
        return PlainTextResponse(message, 403, {"Connection": "close"})


class _BootFile(FileResponse):
    """Read in large parts, so that thread switches do not slow down many simultaneous boots."""

    chunk_size = 512 * 1024


@dataclass(frozen=True)
class _BootHandlers:
    images: BootImages
    loaders: Mapping[str, Path]
    calls: BootCalls

    async def first_script(self, request: Request) -> Response:
        """The script for all machines; with `?mac=` the script of one machine."""
        mac = request.query_params.get("mac")
        if mac is None:
            return _script(chain_script(_base_url(request)))
        return await self._script(request, MacAddress.parse(mac))

    async def machine_script(self, request: Request) -> Response:
        return await self._script(request, MacAddress.parse(request.path_params["mac"]))

    async def image_file(self, request: Request) -> Response:
        image = await run_in_threadpool(self.images.find, request.path_params["image"])
        return await _file(None if image is None else image.file(request.path_params["name"]))

    async def loader(self, request: Request) -> Response:
        return await _file(self.loaders.get(request.path_params["name"]))

    async def report(self, request: Request) -> Response:
        secret = _secret(request)
        fields = list(request.query_params.multi_items())
        if request.method == "POST":
            fields += _form(await _body(request, MAX_FORM_BYTES))
        if len(dict(fields)) < len(fields):
            raise InvalidValue(
                "report", [name[:20] for name, _ in fields[:8]], "repeat a field", "send each field once"
            )
        report = parse_report(dict(fields), _seen_from(request), secret)
        await run_in_threadpool(self.calls.up, report)
        return PlainTextResponse("ok\n")

    async def deployed(self, request: Request) -> Response:
        secret = _secret(request)
        await run_in_threadpool(self.calls.admit_deployed, secret, _seen_from(request))
        report = parse_deploy_report(await _json_body(request, MAX_DEPLOY_REPORT_BYTES))
        await run_in_threadpool(self.calls.deployed, secret, report)
        return PlainTextResponse("ok\n")

    async def orders(self, request: Request) -> Response:
        secret, seen_from, url = _secret(request), _seen_from(request), _base_url(request)
        return _script(await run_in_threadpool(self.calls.disk.orders, secret, seen_from, url))

    async def seed(self, request: Request) -> Response:
        secret, seen_from, url = _secret(request), _seen_from(request), _base_url(request)
        content = await run_in_threadpool(self.calls.disk.seed, secret, seen_from, url)
        return Response(content, headers=_NO_STORE, media_type="application/octet-stream")

    async def stream(self, request: Request) -> Response:
        path = await run_in_threadpool(self.calls.disk.stream, _secret(request), _seen_from(request))
        return await _file(path)

    async def deploying(self, request: Request) -> Response:
        secret, seen_from = _secret(request), _seen_from(request)
        progress = parse_disk_progress(await _json_body(request, MAX_PROGRESS_BYTES))
        await run_in_threadpool(self.calls.disk.take_progress, secret, seen_from, progress)
        return JSONResponse({})

    async def commissioning(self, request: Request) -> Response:
        secret = _secret(request)
        await run_in_threadpool(self.calls.admit, secret, _seen_from(request))
        body = await _json_body(request, MAX_HARDWARE_BYTES)
        found_hardware = await run_in_threadpool(parse_hardware, body)
        return JSONResponse({"next": await run_in_threadpool(self.calls.take_report, secret, found_hardware)})

    async def _script(self, request: Request, mac: MacAddress) -> Response:
        if not mac.is_unicast:
            raise InvalidValue("mac", mac, "is not a unicast address", "send the MAC address of a NIC")
        if request.method == "HEAD":
            return _script("")  # who only looks takes nothing that is given once
        boot = await run_in_threadpool(self.calls.boot, mac, _seen_from(request))
        return _script(machine_script(boot, mac, _base_url(request)))


def _script(text: str) -> Response:
    """Forbid caching: the answer may contain a secret, and is valid only now."""
    return PlainTextResponse(text, headers=_NO_STORE)


async def _file(path: Path | None) -> Response:
    if path is None or not await run_in_threadpool(path.is_file):
        return PlainTextResponse("there is no such boot file\n", 404)
    return _BootFile(path, media_type="application/octet-stream")


def _refuse(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 400)


def _forbid(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 403)


def _wait(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 429, {"Retry-After": "30"})


def _unavailable(_request: Request | None, error: Exception) -> Response:
    """The answer for a temporary failure; iPXE and the boot image retry."""
    return PlainTextResponse(f"{error}\n", 503, {"Retry-After": "5"})


def _base_url(request: Request) -> str:
    """The server's address in the request, which the machine can certainly reach."""
    host, port = request.scope["server"]
    if port is None:
        raise InvalidValue("connection", host, "is not over TCP", "connect to the boot port")
    host = _plain_address(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _seen_from(request: Request) -> str:
    return _plain_address(request.client.host) if request.client else ""


def _plain_address(host: str) -> str:
    """Normalize the address: on a socket for both families, IPv4 looks like `::ffff:10.0.0.1`."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _secret(request: Request) -> str:
    """Refuse a body that is too long before it is read."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not _SECRET.fullmatch(secret.strip()):
        raise ReportRefused
    return secret.strip()


async def _json_body(request: Request, limit: int) -> bytes:
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip() != "application/json":
        raise InvalidValue("Content-Type", kind, "is not supported", "send application/json")
    return await _body(request, limit)


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise InvalidValue("body", None, f"has more than {limit} bytes", "send a shorter one")
    return bytes(body)


def _form(body: bytes) -> list[tuple[str, str]]:
    """Parse a form as HTML forms and busybox's `wget --post-data` send it."""
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=len(FIELDS),
        )
    except ValueError as error:
        raise InvalidValue(
            "body", None, f"of {len(body)} bytes is not a form", f"send a form with {', '.join(FIELDS)}"
        ) from error
