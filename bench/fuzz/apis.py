"""Requests to the native API and to MAAS's API, with valid and odd values."""

import re
import time
from typing import Any
from urllib.parse import quote

import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from sender import PLACES, VALUES, Sender, Tally

from hostloom.compat.maas2.handlers.resources import CATALOGUE

KINDS = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json",
    "",
    "a/b; c",
)
BODIES = (
    b"", b"{}", b"[" * 90_000, b'{"a":' * 9000, b"\xff", b"nul", b"[]", b"1e400",
    b'{"name":"' + b"a" * 9000 + b'"}', b'{"id":' + b"9" * 5000 + b"}",
)  # fmt: skip
ODD_HEADERS = ("If-Match", "Idempotency-Key", "Range", "Accept", "X-Forwarded-For")
ODD_VALUES = ('"1"', '"' + "9" * 5000 + '"', "*", "a" * 300, "bytes=0-", "abcdefgh")


class Apis:
    """Targets; each sends until its time is over."""

    def __init__(self, sender: Sender) -> None:
        self._send, self.server, self.chance = sender.send, sender.server, sender.chance
        schema = schemathesis.openapi.from_dict(self.server.local.get("/openapi.json").json())
        self.operations = [result.ok() for result in schema.get_all_operations()]
        self.turns = 0

    def native(self, tally: Tally, ends_at: float) -> None:
        """Cases of the document, each operation in turn."""
        while time.monotonic() < ends_at:
            operation = self.operations[self.turns % len(self.operations)]
            self.turns += 1
            self._operation(tally, operation)

    def _operation(self, tally: Tally, operation: Any) -> None:
        headers = {"Authorization": f"Bearer {self.server.token}"}
        base = f"http://127.0.0.1:{self.server.port}"

        @seed(self.chance.randrange(2**32))
        @settings(
            max_examples=4, deadline=None, database=None, phases=[Phase.generate], verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def one(case: schemathesis.Case) -> None:
            began = time.monotonic()
            if case.path.endswith("/events"):
                return  # a stream
            try:
                answer = case.call(base_url=base, headers=headers, timeout=60)
            except Exception as error:  # noqa: BLE001  (the client cannot send it)
                tally.others[type(error).__name__] += 1
                return
            took_s = time.monotonic() - began
            tally.note(f"{case.method} {case.path}", answer.status_code, answer.text, took_s)

        one()

    def native_raw(self, tally: Tally, ends_at: float) -> None:
        """Odd values in paths, queries and bodies."""
        chance, base = self.chance, f"http://127.0.0.1:{self.server.port}"
        while time.monotonic() < ends_at:
            operation = chance.choice(self.operations)
            path = re.sub(
                r"{\w+}", lambda _: quote(chance.choice(PLACES + VALUES)[:300], safe=""), operation.path
            )
            if path.endswith("/events") and "operations" in path:
                continue
            names = [parameter.name for parameter in operation.query] if chance.random() < 0.5 else []
            query = {name: chance.choice(VALUES)[:2000] for name in names}
            body = chance.choice(BODIES)
            headers = {"Authorization": f"Bearer {self.server.token}", "Content-Type": "application/json"}
            if chance.random() < 0.2:
                headers[chance.choice(ODD_HEADERS)] = chance.choice(ODD_VALUES)
            method = operation.method.upper()
            content = None if method == "GET" else body
            self._send(tally, method, base + path, params=query, content=content, headers=headers)

    def maas(self, tally: Tally, ends_at: float) -> None:
        """Actions of the catalogue with odd values."""
        chance, base = self.chance, f"http://127.0.0.1:{self.server.port}/MAAS/api/2.0/"
        while time.monotonic() < ends_at:
            resource = chance.choice(CATALOGUE.resources)
            if not resource.actions:
                continue
            action = chance.choice(list(resource.actions.values()))
            path = re.sub(r"{\w+}", lambda _: quote(chance.choice(PLACES), safe=""), resource.path)
            names = [parameter.name for parameter in action.params]
            fields = {
                name: chance.choice(VALUES) for name in chance.sample(names, chance.randint(0, len(names)))
            }
            headers = {"Authorization": self._signed()}
            query = {"op": action.op} if action.op else {}
            if action.method in ("GET", "DELETE"):
                short = {name: value[:1000] for name, value in fields.items()}
                self._send(tally, action.method, base + path, params={**query, **short}, headers=headers)
            elif chance.random() < 0.2:
                headers["Content-Type"] = chance.choice(KINDS)
                body = chance.choice(
                    (b"\xff" * 900, b"--x\r\n" * 500, b"=&" * 4000, b"a=" + b"b" * 90_000, b"\0")
                )
                self._send(tally, action.method, base + path, params=query, content=body, headers=headers)
            else:
                self._send(tally, action.method, base + path, params=query, data=fields, headers=headers)

    def _signed(self) -> str:
        consumer, token, secret = self.server.key.split(":")
        if self.chance.random() < 0.05:
            return self.chance.choice(
                ("OAuth ", "OAuth x", "Basic eDp5", 'OAuth oauth_token="' + "a" * 3000 + '"', ",")
            )
        return (
            f'OAuth oauth_version="1.0", oauth_nonce="{self.chance.getrandbits(64)}", '
            f'oauth_timestamp="{int(time.time())}", oauth_consumer_key="{consumer}", oauth_token="{token}", '
            f'oauth_signature_method="PLAINTEXT", oauth_signature="%26{secret}"'
        )
