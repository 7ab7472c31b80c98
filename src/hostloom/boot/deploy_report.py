"""Parses the report of a machine whose new system runs (decide/deploy/phone_home.py)."""

from hostloom.boot.report_values import check_fields, parse_object
from hostloom.model.deployment import DeployReport
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ssh_public_key import parse_public_key

_FIELDS = frozenset({"host_keys", "errors"})
MAX_HOST_KEYS, MAX_ERRORS, MAX_ERROR_LENGTH = 16, 50, 1000


def parse_deploy_report(body: bytes) -> DeployReport:
    """Parse the JSON; InvalidValue for anything else. Host keys that hostloom does not know are left out."""
    document = parse_object(body)
    check_fields(document, _FIELDS)
    keys = _texts(document, "host_keys", MAX_HOST_KEYS)
    errors = _texts(document, "errors", MAX_ERRORS)
    return DeployReport(
        tuple(filter(None, map(_host_key, keys))), tuple(_printable(error) for error in errors)
    )


def _texts(document: dict[str, object], name: str, limit: int) -> list[str]:
    texts = document.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidValue(name, None, "is not a list of texts")
    if len(texts) > limit:
        raise InvalidValue(name, None, f"has {len(texts)} entries", f"send at most {limit}")
    return texts


def _host_key(text: str) -> str:
    """Type and data of the key; empty for one that cannot be read, such as an old DSA key."""
    try:
        key = parse_public_key(text, "host_keys")
    except InvalidValue:
        return ""
    return f"{key.kind} {key.data}"


def _printable(text: str) -> str:
    """The text without control characters, which a terminal might obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:MAX_ERROR_LENGTH])
