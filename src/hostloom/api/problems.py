"""Errors as problem+json (RFC 9457): the one table from our error classes to HTTP statuses."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hostloom.api.invalid_fields import field_errors, is_not_json, sentence
from hostloom.decide.explain.explain import hint_of, render
from hostloom.model import errors
from hostloom.model.errors import HostloomError
from hostloom.model.plan import Explanation
from hostloom.model.stored_plan import PlanDifference
from hostloom.serialization import to_json

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[HostloomError], int] = {
    errors.HostloomError: 500,
    errors.RequestError: 400,
    errors.InvalidValue: 422,
    errors.Conflict: 422,
    errors.NotTogether: 422,
    errors.ConstraintError: 422,
    errors.NotFound: 404,
    errors.PlanGone: 404,
    errors.AlreadyExists: 409,
    errors.AddressOnWire: 409,
    errors.InUse: 409,
    errors.Stale: 412,
    errors.StaleGeneration: 412,
    errors.WorldChanged: 412,
    errors.RoomTaken: 412,
    errors.ReadMeanwhile: 412,
    errors.PlanTaken: 412,
    errors.IdempotencyConflict: 422,
    errors.IdempotencyPending: 409,
    errors.WrongState: 409,
    errors.MachineDiffers: 409,
    errors.NothingFits: 409,
    errors.PlanStale: 409,
    errors.Cancelled: 409,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.TooManyRequests: 429,
    errors.DecisionTooLong: 422,
    errors.ReportRefused: 403,
    errors.Refused: 409,
    errors.HostFull: 409,
    errors.DriverError: 502,
    errors.HostUnreachable: 503,
    errors.HostKeyUnknown: 409,
    errors.HostKeyChanged: 502,
    errors.HostRefused: 502,
    errors.HostUnreadable: 502,
    errors.HostNotScannable: 409,
    errors.WireRefused: 409,
    errors.HypervisorRejected: 502,
    errors.OutcomeUnknown: 504,
    errors.DhcpUnreachable: 503,
    errors.DhcpRejected: 502,
    errors.ImageFailed: 502,
    errors.DatabaseUnavailable: 503,
    errors.ConfigError: 500,
    errors.LeaseLost: 409,
}


def problem_of(error: HostloomError) -> dict[str, Any]:
    """The problem document of an error."""
    found = _problem(STATUS[type(error)], error.code, str(error))
    if error.hint:
        found["hint"] = error.hint
    if error.details:
        found["details"] = {key: _plain(value) for key, value in error.details.items()}
    return found


def refused_problem(error: errors.Refused) -> dict[str, Any]:
    """The problem document of a refusal, with its explanation as data and as text."""
    found = problem_of(error)
    if isinstance(error.explanation, Explanation):
        found["explanation"] = to_json(error.explanation)
        found["text"] = render(error.explanation)
        if hint := hint_of(error.explanation):
            found["hint"] = hint
    return found


def stale_problem(error: errors.PlanStale) -> dict[str, Any]:
    """The problem document of a plan that is out of date, with every difference as data and as text."""
    found = problem_of(error)
    found["detail"] = f"plan {error.plan} is out of date"
    found["differences"] = [
        asdict(difference) for difference in error.differences if isinstance(difference, PlanDifference)
    ]
    found["text"] = [found["detail"], *error.text]
    return found


def install_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem document."""

    def on_known(_: Request, error: Exception) -> Response:
        if isinstance(error, errors.Refused):
            return answer(refused_problem(error))
        if isinstance(error, errors.PlanStale):
            return answer(stale_problem(error))
        if isinstance(error, HostloomError):
            return answer(problem_of(error))
        raise error

    app.add_exception_handler(HostloomError, on_known)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_middleware(Incidents)


def answer(problem: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """The response of a problem document."""
    # ASCII only: a refused value may hold half a character, which UTF-8 cannot write
    response = Response(json.dumps(problem), problem["status"], headers=headers, media_type=MEDIA_TYPE)
    if problem["status"] == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def simple_problem(status: int, code: str, detail: str) -> dict[str, Any]:
    """A problem of the protocol itself, which no domain error stands for."""
    return _problem(status, code, detail)


def _problem(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"urn:hostloom:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
    }


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return str(value)


async def _on_invalid(_: Request, error: Exception) -> Response:
    """All wrong fields at once, each by name."""
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = field_errors(error.errors())
    code = "not-json" if is_not_json(error.errors()) else "invalid-value"
    return answer(_problem(422, code, "; ".join(map(sentence, wrong))) | {"errors": wrong})


#: What the web framework refuses by itself: code and sentence, by status.
_OF_FRAMEWORK = {
    400: ("bad-request", "the request cannot be read; send its body as JSON"),
    404: ("no-such-path", "there is nothing at this path"),
    405: ("method-not-allowed", "this path does not allow this method"),
}


async def _on_http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code, detail = _OF_FRAMEWORK.get(error.status_code, ("bad-request", "the request cannot be answered"))
    return answer(_problem(error.status_code, code, detail), error.headers)


class Incidents:
    """ASGI middleware for unexpected errors: the log gets the traceback, the caller gets its number."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer 500 unless an answer has begun already; then the connection breaks off."""
        begun = False

        async def sending(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if scope["type"] != "http":
                raise
            incident = uuid.uuid4().hex[:12]
            where = {"method": scope["method"], "path": scope["path"]}
            log.error("unexpected error", incident=incident, **where, exc_info=error)
            if begun:
                raise
            detail = f"hostloom made a mistake; its log tells more under {incident}"
            response = answer(_problem(500, "internal-error", detail) | {"incident": incident})
            await response(scope, receive, send)
