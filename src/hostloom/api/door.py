"""The native API's door: who may send a body, known from the headers alone."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from hostloom.api.calls import PRINCIPAL_KEY, authenticate
from hostloom.api.limits import MAX_BODY_BYTES
from hostloom.api.problems import answer, problem_of
from hostloom.model.errors.base import HostloomError

#: What may be larger, from administrators: all that another system knew of thousands of machines.
LARGER = {"/api/v1/imports": 64 * 1024 * 1024}


class ApiDoor:
    """Who may send a body to the native API, and how large."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any]) -> int | Response:
        """The limit of the body; or the refusal of one who is not known, before any of it is read."""
        try:
            principal = await run_in_threadpool(authenticate, Request({**scope, "app": self._app}))
        except HostloomError as error:
            return answer(problem_of(error))
        scope[PRINCIPAL_KEY] = principal
        return LARGER.get(scope["path"], MAX_BODY_BYTES) if principal.admin else MAX_BODY_BYTES
