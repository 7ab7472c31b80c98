import pytest

from hostloom.cli.exit_codes import Exit, exit_of_operation, exit_of_problem, exit_of_refusal
from hostloom.client import Problem


@pytest.mark.parametrize(
    ("status", "code", "wanted"),
    [
        (404, "not-found", Exit.FAILED),
        (401, "not-authenticated", Exit.FAILED),
        (500, "internal-error", Exit.FAILED),
        (502, "hypervisor-rejected", Exit.FAILED),
        (422, "invalid-value", Exit.USAGE),
        (422, "unknown-key", Exit.USAGE),
        (409, "constraint-syntax", Exit.USAGE),
        (409, "no-matching-interface", Exit.REFUSED),
        (409, "in-use", Exit.REFUSED),
        (412, "stale", Exit.REFUSED),
        (403, "not-permitted", Exit.REFUSED),
        (503, "host-unreachable", Exit.UNREACHABLE),
        (409, "host-unreachable", Exit.UNREACHABLE),
        (504, "outcome-unknown", Exit.UNREACHABLE),
    ],
)
def test_a_problem_has_the_documented_exit_code(status: int, code: str, wanted: Exit) -> None:
    assert exit_of_problem(Problem(status, {"code": code})) is wanted


@pytest.mark.parametrize(
    ("state", "code", "wanted"),
    [
        ("succeeded", "", Exit.OK),
        ("failed", "hypervisor-rejected", Exit.FAILED),
        ("failed", "not-enough-memory", Exit.REFUSED),
        ("failed", "host-unreachable", Exit.UNREACHABLE),
        ("cancelled", "", Exit.FAILED),
        ("stuck", "host-unreachable", Exit.STUCK),
    ],
)
def test_an_operation_has_the_documented_exit_code(state: str, code: str, wanted: Exit) -> None:
    assert exit_of_operation({"state": state, "error_code": code}) is wanted


def test_a_text_that_does_not_parse_is_a_slip_and_a_rule_is_a_no() -> None:
    assert exit_of_refusal("constraint-syntax") is Exit.USAGE
    assert exit_of_refusal("no-bootable-vlan") is Exit.REFUSED
