"""Boot files and scripts over HTTP, and the reports of machines that came up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from hostloom.boot.reports import FIELDS, Report, parse_report
from hostloom.boot.scripts import MachineBoot, chain_script, machine_script, unknown_script
from hostloom.model.errors import InvalidValue
from hostloom.model.ids import MacAddress

__all__ = ["Report", "create_boot_app"]

MAX_BODY_BYTES = 4096


def create_boot_app(
    files: Mapping[str, Path],
    machine_of: Callable[[MacAddress], MachineBoot | None],
    on_report: Callable[[Report], None],
) -> Starlette:
    """The ASGI app; `files` are served by name (`kernel`, `initrd`), with HEAD and ranges.

    Both callables may block: they run in threads.
    """
    boot = _Boot(files, machine_of, on_report)
    return Starlette(
        routes=[
            Route("/boot.ipxe", boot.first_script),
            Route("/machine/{mac}.ipxe", boot.machine_script),
            Route("/files/{name}", boot.file),
            Route("/report", boot.report, methods=["GET", "POST"]),
        ],
        exception_handlers={InvalidValue: _refuse},
    )


@dataclass(frozen=True)
class _Boot:
    files: Mapping[str, Path]
    machine_of: Callable[[MacAddress], MachineBoot | None]
    on_report: Callable[[Report], None]

    async def first_script(self, request: Request) -> Response:
        """For everybody; with `?mac=` that machine's own."""
        mac = request.query_params.get("mac")
        if mac is None:
            return PlainTextResponse(chain_script(_base_url(request)))
        return await self._script(request, MacAddress.parse(mac))

    async def machine_script(self, request: Request) -> Response:
        return await self._script(request, MacAddress.parse(request.path_params["mac"]))

    async def file(self, request: Request) -> Response:
        path = self.files.get(request.path_params["name"])
        if path is None or not await run_in_threadpool(path.is_file):
            return PlainTextResponse("there is no such boot file\n", 404)
        return FileResponse(path, media_type="application/octet-stream")

    async def report(self, request: Request) -> Response:
        fields = list(request.query_params.multi_items())
        if request.method == "POST":
            fields += _form(await _body(request))
        if len(dict(fields)) < len(fields):
            raise InvalidValue("report", [name[:20] for name, _ in fields[:8]], "every field once")
        seen_from = request.client.host if request.client else ""
        report = parse_report(dict(fields), seen_from)
        await run_in_threadpool(self.on_report, report)
        return PlainTextResponse("ok\n")

    async def _script(self, request: Request, mac: MacAddress) -> Response:
        found = await run_in_threadpool(self.machine_of, mac)
        if found is None:
            return PlainTextResponse(unknown_script(mac))
        return PlainTextResponse(machine_script(found, mac, _base_url(request)))


def _refuse(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 400)


def _base_url(request: Request) -> str:
    """The address that the machine reached us at is the one that it can reach."""
    return f"http://{request.url.netloc}"


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise InvalidValue("body", f"{len(body)} bytes", f"at most {MAX_BODY_BYTES}")
    return bytes(body)


def _form(body: bytes) -> list[tuple[str, str]]:
    """As HTML forms and busybox's `wget --post-data` send it."""
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=len(FIELDS),
        )
    except ValueError as error:
        raise InvalidValue("body", f"{len(body)} bytes", f"a form of {', '.join(FIELDS)}") from error
