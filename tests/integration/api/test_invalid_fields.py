"""Every body and query of the API with values that cannot be: our own sentences, and no library's words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.library_words import library_words
from support.server import Running, running

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "reference" / "openapi.json").read_text())
#: Each stands in every field of a body at once; they are written as JSON, which has no NaN.
WRONG = (
    "null",
    "true",
    "-1",
    "0",
    "1" + "0" * 40,
    "1.5",
    "NaN",
    "Infinity",
    '""',
    '"no-such-thing"',
    f'"{"x" * 5000}"',
    '"10.0.0.1/33"',
    r'"\ud800"',
    r'"\u0000"',
    "[]",
    "[null]",
    '[{"no_such_field": 1}]',
    '{"no_such_field": 1}',
)
WHOLE = ("", "nonsense", "null", "[]", "3", '"text"', "{}", '{"no_such_field": 1}', '{"a":' * 5000)
#: In place of what a path names.
KEYS = ("no-such-thing", "99")


def routes() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


ROUTES = routes()
WITH_BODY = [route for route in ROUTES if "requestBody" in route[2]]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    for choice in (schema, *schema.get("anyOf", ())):
        if "$ref" in choice:
            found: dict[str, Any] = DOCUMENT["components"]["schemas"][choice["$ref"].rpartition("/")[2]]
            return found
    return next((choice for choice in schema.get("anyOf", ()) if choice.get("type") == "array"), schema)


def filled(schema: dict[str, Any], value: str, depth: int = 4) -> str:
    """An object with the value in every field, and in every field of the objects in it."""
    fields = resolved(schema).get("properties", {})
    parts = []
    for name, field in fields.items():
        inner = resolved(field)
        text = value
        if depth and inner.get("properties"):
            text = filled(inner, value, depth - 1)
        elif depth and resolved(inner.get("items", {})).get("properties"):
            text = f"[{filled(inner['items'], value, depth - 1)}]"
        parts.append(f"{json.dumps(name)}: {text}")
    return "{" + ", ".join(parts) + "}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("invalid")) as found:
        yield found


def url_of(path: str, key: str) -> str:
    while "{" in path:
        path = path[: path.index("{")] + key + path[path.index("}") + 1 :]
    return path.removeprefix("/api/v1")


def check(text: str, status: int, what: object) -> None:
    assert status < 500, (what, text)
    assert not library_words(text), (what, text)


@pytest.mark.parametrize(
    ("method", "path", "operation"), WITH_BODY, ids=[f"{m} {p}" for m, p, _ in WITH_BODY]
)
def test_a_wrong_body_is_refused_in_our_words(
    server: Running, method: str, path: str, operation: dict[str, Any]
) -> None:
    (content,) = operation["requestBody"]["content"].values()
    bodies = [*WHOLE, *(filled(content["schema"], value) for value in WRONG)]
    with server.http() as http:
        for body in bodies:
            answer = http.request(
                method,
                url_of(path, KEYS[0]),
                content=body.encode("utf-8"),
                headers={"Content-Type": "application/json"},
            )
            check(answer.text, answer.status_code, (method, path, body[:200]))
            if answer.status_code == 422:
                for error in answer.json().get("errors", []):
                    assert error["message"], answer.text


@pytest.mark.parametrize(("method", "path", "operation"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
def test_wrong_names_and_queries_are_refused_in_our_words(
    server: Running, method: str, path: str, operation: dict[str, Any]
) -> None:
    names = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
    queries = [{}, {"no_such_parameter": "1"}, *(dict.fromkeys(names, "no-such") for _ in names[:1])]
    queries += [dict.fromkeys(names, value) for value in ("", "-1", "1" * 40, "nan") if names]
    with server.http() as http:
        for key in KEYS:
            for query in queries:
                if method == "get" and "{" not in path and not query:
                    continue
                answer = http.request(
                    method, url_of(path, key), params=query, json={} if method != "get" else None
                )
                check(answer.text, answer.status_code, (method, path, query))
