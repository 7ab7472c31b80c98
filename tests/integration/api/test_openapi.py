"""Whatever a client sends, by the OpenAPI document or against it, the server answers as the document says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support.depth import examples
from support.server import Running, running

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "reference" / "openapi.json").read_text())
CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    with running(tmp_path_factory.mktemp("openapi")) as server, server.http() as http:
        http.post("/users", json={"name": "fuzz", "admin": True})
        http.post("/fabrics", json={"name": "lan"})
        http.post("/subnets", json={"cidr": "10.0.0.0/24", "vlan": "lan/0"})
        yield server, http.post("/tokens", json={"user": "fuzz"}).json()["text"]


@schema.parametrize()
@settings(
    max_examples=examples(6, shallow=2),
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_documented(case: schemathesis.Case, served: tuple[Running, str]) -> None:
    server, token = served
    case.call_and_validate(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)
