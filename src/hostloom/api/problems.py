"""Errors as problem+json (RFC 9457), with the only table from error classes to HTTP statuses."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hostloom.api.invalid_fields import field_errors, is_not_json, sentence
from hostloom.decide.explain.explain import hint_of, render
from hostloom.model.errors.base import DriverError, HostloomError, RequestError
from hostloom.model.errors.outside import (
    DhcpRejected,
    DhcpUnreachable,
    DiskImageFailed,
    DownloadFailed,
    HostKeyChanged,
    HostKeyUnknown,
    HostNotScannable,
    HostRefused,
    HostUnreachable,
    HostUnreadable,
    HypervisorRejected,
    ImageFailed,
    OutcomeUnknown,
    PowerRefused,
    PowerUnconfirmed,
    PowerUnreachable,
    SeedDiskFailed,
    WireRefused,
)
from hostloom.model.errors.permissions import NotAuthenticated, NotPermitted, ReportRefused, TooManyRequests
from hostloom.model.errors.refusals import DecisionTooLong, HostFull, NothingFits, Refused
from hostloom.model.errors.resources import (
    AddressOnWire,
    AlreadyExists,
    InUse,
    MachineDiffers,
    NotFound,
    PlanGone,
    WrongState,
)
from hostloom.model.errors.server import Cancelled, ConfigError, DatabaseUnavailable, LeaseLost
from hostloom.model.errors.stale import (
    IdempotencyConflict,
    IdempotencyPending,
    PlanStale,
    PlanTaken,
    ReadMeanwhile,
    RoomTaken,
    Stale,
    StaleGeneration,
    WorldChanged,
)
from hostloom.model.errors.values import Conflict, ConstraintError, InvalidValue, NotTogether
from hostloom.model.plan import Explanation
from hostloom.model.stored_plan import PlanDifference
from hostloom.serialization import to_json

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[HostloomError], int] = {
    HostloomError: 500,
    RequestError: 400,
    InvalidValue: 422,
    Conflict: 422,
    NotTogether: 422,
    ConstraintError: 422,
    NotFound: 404,
    PlanGone: 404,
    AlreadyExists: 409,
    AddressOnWire: 409,
    InUse: 409,
    Stale: 412,
    StaleGeneration: 412,
    WorldChanged: 412,
    RoomTaken: 412,
    ReadMeanwhile: 412,
    PlanTaken: 412,
    IdempotencyConflict: 422,
    IdempotencyPending: 409,
    WrongState: 409,
    MachineDiffers: 409,
    NothingFits: 409,
    PlanStale: 409,
    Cancelled: 409,
    NotAuthenticated: 401,
    NotPermitted: 403,
    TooManyRequests: 429,
    DecisionTooLong: 422,
    ReportRefused: 403,
    Refused: 409,
    HostFull: 409,
    DriverError: 502,
    HostUnreachable: 503,
    HostKeyUnknown: 409,
    HostKeyChanged: 502,
    HostRefused: 502,
    HostUnreadable: 502,
    HostNotScannable: 409,
    WireRefused: 409,
    HypervisorRejected: 502,
    OutcomeUnknown: 504,
    DhcpUnreachable: 503,
    DhcpRejected: 502,
    ImageFailed: 502,
    SeedDiskFailed: 502,
    PowerRefused: 502,
    PowerUnconfirmed: 502,
    PowerUnreachable: 503,
    DiskImageFailed: 502,
    DownloadFailed: 502,
    DatabaseUnavailable: 503,
    ConfigError: 500,
    LeaseLost: 409,
}


def problem_of(error: HostloomError) -> dict[str, Any]:
    """The problem document of an error."""
    problem = simple_problem(STATUS[type(error)], error.code, str(error))
    if error.hint:
        problem["hint"] = error.hint
    if error.details:
        problem["details"] = {key: _plain(value) for key, value in error.details.items()}
    return problem


def refused_problem(error: Refused) -> dict[str, Any]:
    """The problem document of a refusal, with its explanation as data and as text."""
    problem = problem_of(error)
    if isinstance(error.explanation, Explanation):
        problem["explanation"] = to_json(error.explanation)
        problem["text"] = render(error.explanation)
        if hint := hint_of(error.explanation):
            problem["hint"] = hint
    return problem


def stale_problem(error: PlanStale) -> dict[str, Any]:
    """The problem document of a stale plan, with every difference as data and as text."""
    problem = problem_of(error)
    problem["detail"] = f"plan {error.plan} is out of date"
    problem["differences"] = [
        asdict(difference) for difference in error.differences if isinstance(difference, PlanDifference)
    ]
    problem["text"] = [problem["detail"], *error.text]
    return problem


def install_handlers(app: FastAPI) -> None:
    """Make the app answer every error with a problem document."""

    def on_known(_: Request, error: Exception) -> Response:
        if isinstance(error, Refused):
            return answer(refused_problem(error))
        if isinstance(error, PlanStale):
            return answer(stale_problem(error))
        if isinstance(error, HostloomError):
            return answer(problem_of(error))
        raise error

    app.add_exception_handler(HostloomError, on_known)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def answer(problem: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """The response of a problem document."""
    # ASCII only, because a refused value may contain a lone surrogate, which UTF-8 cannot encode
    response = Response(json.dumps(problem), problem["status"], headers=headers, media_type=MEDIA_TYPE)
    if problem["status"] == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def simple_problem(status: int, code: str, detail: str) -> dict[str, Any]:
    """The problem document of these words; errors of the protocol itself have no class."""
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
        return [_plain(part) for part in value]
    return str(value)


async def _on_invalid(_: Request, error: Exception) -> Response:
    """Answer with all invalid fields, by name."""
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = field_errors(error.errors())
    code = "not-json" if is_not_json(error.errors()) else "invalid-value"
    return answer(simple_problem(422, code, "; ".join(map(sentence, wrong))) | {"errors": wrong})


#: Code and sentence for refusals of the web framework, by status.
_OF_FRAMEWORK = {
    400: ("bad-request", "the request cannot be read; send its body as JSON"),
    404: ("no-such-path", "there is nothing at this path"),
    405: ("method-not-allowed", "this path does not allow this method"),
}


async def _on_http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code, detail = _OF_FRAMEWORK.get(error.status_code, ("bad-request", "the request cannot be answered"))
    return answer(simple_problem(error.status_code, code, detail), error.headers)
