"""The ASGI application of the façade: authenticates, reads and routes requests, and sends responses."""

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hostloom.compat.maas2 import oauth
from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Catalogue, MatchedRoute
from hostloom.compat.maas2.describe import describe, fingerprint
from hostloom.compat.maas2.errors import fault_of
from hostloom.compat.maas2.forms import Form, read_body, read_query
from hostloom.compat.maas2.handlers.account import login
from hostloom.compat.maas2.handlers.resources import CATALOGUE
from hostloom.compat.maas2.logins import Logins
from hostloom.compat.maas2.parameters import check_parameters
from hostloom.compat.maas2.responses import BARE_JSON, Fault, MaasResponse, bad_field, refuse, text
from hostloom.model.access import ANONYMOUS, Principal
from hostloom.model.errors.base import HostloomError
from hostloom.model.errors.permissions import NotAuthenticated
from hostloom.ports.context import Ports
from hostloom.services import apikeys

log = structlog.get_logger(__name__)

METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
#: The number of parallel requests. The façade has its own threads, so that requests that wait for an
#: unresponsive host do not block the native API.
THREADS = 200
MAX_BODY_BYTES = 1024 * 1024
#: Enough for a name and a password.
MAX_ANONYMOUS_BYTES = 16 * 1024
_SLASHES = re.compile("/{2,}")


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request with its complete body."""

    method: str
    #: Below `/MAAS/`, with repeated slashes collapsed. Percent-encoded, because a CIDR contains a slash.
    path: str
    raw_path: str
    query: bytes
    authorization: str
    content_type: str
    body: bytes
    #: Candidates for the scheme and host in the client's URL, the likeliest first.
    bases: tuple[str, ...]
    #: The address of the client.
    client: str = ""
    #: The arrival on the monotonic clock.
    since: float = field(default_factory=time.monotonic)


class Facade:
    """Serves requests below `/MAAS/`."""

    def __init__(
        self, ports: Ports, catalogue: Catalogue = CATALOGUE, *, proxy_headers: bool = False
    ) -> None:
        self._ports, self._catalogue = ports, catalogue
        self._nonces = oauth.Nonces()
        self._proxy_headers = proxy_headers
        self._logins = Logins(ports)
        self._hash = fingerprint(catalogue)
        self._threads = CapacityLimiter(THREADS)

    def app(self) -> Starlette:
        """Make the ASGI application, for mounting at `/MAAS`."""
        return Starlette(routes=[Route("/{path:path}", self._serve, methods=METHODS)])

    async def admit(self, scope: dict[str, Any]) -> int | Response:
        """Return the size limit for the body of a request, or a refusal, before the body is read.

        This checks only the key of an HMAC signature over a form, because the signature covers the body.
        """
        raw_request = _read_request(Request(scope), b"", proxied=self._proxy_headers)
        admission = await to_thread.run_sync(self._admit, raw_request, limiter=self._threads)
        return admission if isinstance(admission, int) else self._response(admission)

    def _admit(self, raw_request: RawRequest) -> int | MaasResponse:
        path = raw_request.path.rstrip("/") + "/"
        matched_route = self._catalogue.find(_split_op(path)[0].removeprefix("api/2.0/"))
        if path == login.path or (matched_route is not None and matched_route.resource.anonymous):
            return MAX_ANONYMOUS_BYTES
        try:
            self._check_key(raw_request, whole=False)
        except HostloomError as error:
            return fault_of(error)
        return MAX_BODY_BYTES

    async def _serve(self, request: Request) -> Response:
        raw_request = _read_request(request, await request.body(), proxied=self._proxy_headers)
        maas_response = await to_thread.run_sync(self.answer, raw_request, limiter=self._threads)
        return self._response(maas_response)

    def _response(self, maas_response: MaasResponse) -> Response:
        response = Response(
            maas_response.body, maas_response.status, {"X-MAAS-API-Hash": self._hash, **maas_response.headers}
        )
        # Starlette sets no Content-Type on a 204, but clients require one after a deletion.
        response.headers["Content-Type"] = maas_response.content_type
        return response

    def answer(self, raw_request: RawRequest) -> MaasResponse:
        """Handle a request. Every error becomes a response."""
        try:
            return self._answer(raw_request)
        except Fault as fault:
            return fault.answer
        except HostloomError as error:
            return fault_of(error)
        except Exception as error:
            incident = uuid.uuid4().hex[:12]
            log.error(
                "unexpected error",
                incident=incident,
                method=raw_request.method,
                path=raw_request.path,
                exc_info=error,
            )
            return text(f"hostloom made a mistake; its log tells more under {incident}", 500)

    def _answer(self, raw_request: RawRequest) -> MaasResponse:
        if raw_request.path.rstrip("/") + "/" == login.path:
            return self._log_in(raw_request)
        if raw_request.path.rstrip("/") == "api/2.0/describe" and raw_request.method == "GET":
            # MAAS's CLI accepts no charset here.
            document = describe(self._catalogue, raw_request.bases[0])
            return MaasResponse(json.dumps(document).encode(), content_type=BARE_JSON)
        path, op = _split_op(raw_request.path)
        matched_route = None
        if path.startswith("api/2.0/"):
            matched_route = self._catalogue.find(path.removeprefix("api/2.0/"))
        if matched_route is not None and matched_route.resource.anonymous:
            return self._dispatch(raw_request, matched_route, op, ANONYMOUS)
        claim, principal = self._authenticate(raw_request)
        if matched_route is None:
            raise refuse(404, f"There is nothing at {raw_request.path[:200]!r}.")
        maas_response = self._dispatch(raw_request, matched_route, op, principal)
        if maas_response.status == 503:
            self._nonces.give_back(claim)
        return maas_response

    def _log_in(self, raw_request: RawRequest) -> MaasResponse:
        user = _form(raw_request).text("username") or ""
        self._logins.check(user, raw_request.client)
        maas_response = self._dispatch(raw_request, MatchedRoute(login, {}), "", ANONYMOUS)
        if maas_response.status in (400, 401, 403):
            self._logins.count_failure(user, raw_request.client)
        return maas_response

    def _dispatch(
        self, raw_request: RawRequest, matched_route: MatchedRoute, op: str, principal: Principal
    ) -> MaasResponse:
        try:
            form = _form(raw_request)
            op = _one_op(op, form)
            form = form.without("op")
            action = matched_route.resource.actions.get((raw_request.method, op or None))
            if action is None:
                raise refuse(400, f"Unrecognised signature: method={raw_request.method} op={op or None}")
            check_parameters(matched_route.resource, action, form)
            return action.do(
                Call(
                    self._ports,
                    principal,
                    matched_route.places,
                    form,
                    raw_request.bases[0],
                    raw_request.since,
                )
            )
        except Fault as fault:
            return fault.answer
        except HostloomError as error:
            return fault_of(error)

    def _authenticate(self, raw_request: RawRequest) -> tuple[oauth.OAuthParameters, Principal]:
        """Verify the signature and record its nonce. Raises NotAuthenticated."""
        claim, principal, now = self._check_key(raw_request, whole=True)
        self._nonces.use(claim, now)
        return claim, principal

    def _check_key(
        self, raw_request: RawRequest, *, whole: bool
    ) -> tuple[oauth.OAuthParameters, Principal, float]:
        """Verify the signature, unless it covers a form that is not read yet (`whole` is false)."""
        if not raw_request.authorization:
            raise NotAuthenticated("the request is not signed with an API key")
        if self._ports.secrets is None:
            raise NotAuthenticated("this server takes no API keys")
        now = self._ports.clock.now()
        claim = oauth.read_claim(raw_request.authorization, now)
        with self._ports.store.begin() as uow:
            key, principal = apikeys.find(uow, claim.consumer_key, claim.token_key)
        signed = oauth.Signed(
            raw_request.method,
            raw_request.bases,
            raw_request.raw_path,
            raw_request.query.decode("latin-1"),
            raw_request.authorization,
            raw_request.content_type,
            raw_request.body,
            self._ports.settings.maas_unsigned_put,
        )
        if whole or not signed.has_form or claim.method != oauth.HMAC:
            oauth.verify(signed, claim, apikeys.secret_of(self._ports.secrets, key))
        return claim, principal, now


def _form(raw_request: RawRequest) -> Form:
    """Merge query and body. The body takes precedence, except for `op`, which `_one_op` compares."""
    query = read_query(raw_request.query)
    body = read_body(raw_request.content_type, raw_request.body)
    ops = [*query.fields.get("op", ()), *body.fields.get("op", ())]
    return Form({**query.fields, **body.fields, "op": ops}, {**query.files, **body.files})


def _one_op(path_op: str, form: Form) -> str:
    """Return the op of path, query and body. Raises 400 if they differ: only one may be signed."""
    ops = {op for op in (path_op, *form.fields.get("op", ())) if op}
    if len(ops) > 1:
        raise bad_field("op", f"Give one op, not {len(ops)}: {', '.join(sorted(ops))[:200]}.")
    return next(iter(ops), "")


def _split_op(path: str) -> tuple[str, str]:
    """Split off the op, which one client appends to the path: `machines/abc123/op-power_on`."""
    head, _, segment = path.rstrip("/").rpartition("/")
    return (head + "/", segment.removeprefix("op-")) if segment.startswith("op-") else (path, "")


def _read_request(request: Request, body: bytes, *, proxied: bool) -> RawRequest:
    """Read a request. `proxied` means that the `X-Forwarded-…` headers are trusted."""
    headers = request.headers
    forwarded = headers if proxied else {}
    peer = request.client.host if request.client else ""
    raw_path = request.scope["raw_path"].partition(b"?")[0].decode("latin-1")
    host = forwarded.get("x-forwarded-host") or headers.get("host") or "localhost"
    scheme = forwarded.get("x-forwarded-proto") or request.scope.get("scheme", "http")
    hosts = dict.fromkeys((host, headers.get("host") or "localhost"))
    schemes = dict.fromkeys(
        candidate for candidate in (scheme, "http", "https") if candidate in ("http", "https")
    )
    return RawRequest(
        request.method,
        _SLASHES.sub("/", raw_path).partition("/MAAS/")[2],
        raw_path,
        request.scope["query_string"],
        headers.get("authorization", ""),
        headers.get("content-type", ""),
        body,
        tuple(f"{scheme}://{name}" for name in hosts for scheme in schemes),
        forwarded.get("x-forwarded-for", "").rpartition(",")[2].strip() or peer,
    )
