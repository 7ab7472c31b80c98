"""Parses interface constraints into labels and terms, and formats them.

See docs/explanation/rules.md#interface-constraints.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network

from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.errors.values import ConstraintError, InvalidValue
from hostloom.model.ids import MacAddress
from hostloom.model.network import MAX_VID
from hostloom.model.node import InterfaceKind
from hostloom.model.reasons import RequestCode
from hostloom.model.request import AddressMode, LabelConstraints, Term

FIELD = "interfaces"
#: IFNAMSIZ - 1: the longest name that Linux gives an interface.
MAX_NAME_BYTES = 15
#: Limits far above any real machine, so that parsing is fast.
MAX_LENGTH, MAX_LABELS, MAX_TERMS = 4096, 64, 64
#: Keys that select a host interface and have a `not_` form.
NEGATABLE = frozenset(
    {"id", "name", "hostname", "tag", "fabric", "fabric_class", "vlan", "vid", "space"}
    | {"subnet", "subnet_cidr", "ip"}
)
#: Keys that select and have no `not_` form.
POSITIVE = frozenset({"type", "link_speed"})
#: Keys that set a value; two different values contradict each other.
SETTING = frozenset({"mode", "attach", "macvlan_mode", "network", "mac", "model"})
KEYS = NEGATABLE | POSITIVE | SETTING

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
#: Maximum number of digits, because Python parses very long numbers slowly.
_INTEGER = re.compile(r"[0-9]{1,19}|0[xX][0-9a-fA-F]{1,16}|0[bB][01]{1,64}")


def parse(text: str) -> tuple[LabelConstraints, ...]:
    """Parse a text; a blank text has no constraints. ConstraintError names the first mistake."""
    if not text.strip():
        return ()
    check_length(text, FIELD)
    labels: list[LabelConstraints] = []
    names: set[str] = set()
    for number, (part, column) in enumerate(_split(text, ";", 1)):
        if number >= MAX_LABELS:
            raise _error(
                RequestCode.CONSTRAINT_SYNTAX, column, part, part[:20], f"at most {MAX_LABELS} labels"
            )
        labels.append(_parse_label(part, column, names))
        names.add(labels[-1].name)
    return tuple(labels)


def check_length(text: str, field: str) -> None:
    """ConstraintError for a text that is too long."""
    if len(text) > MAX_LENGTH:
        code, column = RequestCode.CONSTRAINT_SYNTAX, MAX_LENGTH + 1
        raise ConstraintError(code, field, column, "…", f"at most {MAX_LENGTH} characters")


def format_constraints(labels: tuple[LabelConstraints, ...]) -> str:
    """Format labels as text, so that `parse(format_constraints(x)) == x`."""
    return ";".join(
        f"{label.label}:"
        + ",".join(f"{'not_' * term.negated}{term.key}={term.value}" for term in label.terms)
        for label in labels
    )


def nic_name(label: str) -> str:
    """The NIC's name: a number N becomes ethN; names that are too long for Linux end in a CRC-32."""
    name = f"eth{label}" if label.isdigit() else label
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    return f"eth-{zlib.crc32(label.encode()) & 0xFFFFF:05x}-{label[-5:]}"


def from_terms(label: str, terms: tuple[Term, ...], column: int = 0) -> LabelConstraints:
    """Make a label from typed terms, with the same checks as for text, but without columns."""
    if not _LABEL.fullmatch(label):
        raise _error(RequestCode.INVALID_LABEL, column, label, label, "ASCII letters, digits, - and _")
    for term in terms:
        _check_term(term)
    return _settle(LabelConstraints(label, nic_name(label), terms, column=column))


def parse_integer(value: str) -> int | None:
    """Parse a number in decimal, 0x or 0b; None for any other text."""
    return int(value, 0 if value[:2].lower() in ("0x", "0b") else 10) if _INTEGER.fullmatch(value) else None


def _split(text: str, separator: str, column: int) -> Iterator[tuple[str, int]]:
    """The parts with the columns at which they begin."""
    for part in text.split(separator):
        yield part, column
        column += len(part) + len(separator)


def _parse_label(part: str, column: int, names: set[str]) -> LabelConstraints:
    """Parse one label with its terms; `names` are the NICs of previous labels."""
    head, colon, body = part.partition(":")
    label = head.strip()
    if not label:
        raise _error(
            RequestCode.CONSTRAINT_SYNTAX, column, part, part.strip(), "label:key=value[,key=value…]"
        )
    if not _LABEL.fullmatch(label) and colon:
        expected = "a label of ASCII letters, digits, - and _, the first a letter or digit"
        raise _error(RequestCode.INVALID_LABEL, column, part, label, expected)
    if not colon:
        expected = "a colon after the label: label:key=value[,key=value…]"
        raise _error(RequestCode.CONSTRAINT_SYNTAX, column, part, label, expected)
    if nic_name(label) in names:
        raise _error(RequestCode.DUPLICATE_LABEL, column, part, label, "a label not used before")
    body_column = column + len(head) + 1
    pairs = list(_split(body, ",", body_column))
    if len(pairs) > MAX_TERMS:
        pair, position = pairs[MAX_TERMS]
        raise _error(
            RequestCode.CONSTRAINT_SYNTAX, position, pair, pair[:20], f"at most {MAX_TERMS} terms a label"
        )
    terms = tuple(_parse_term(pair, position) for pair, position in pairs)
    return _settle(LabelConstraints(label, nic_name(label), terms, column=_start(part, column)))


def _parse_term(pair: str, column: int) -> Term:
    head, equals, tail = pair.partition("=")
    key, value = head.strip(), tail.strip()
    if not key or not equals:
        raise _error(RequestCode.CONSTRAINT_SYNTAX, column, pair, pair.strip(), "key=value")
    negated = key.startswith("not_")
    term = Term(key.removeprefix("not_"), value, negated, _start(tail, column + len(head) + 1))
    keys = NEGATABLE if negated else KEYS
    if term.key not in keys:
        expected = f"one of the keys {', '.join(sorted(KEYS))}"
        if term.key in KEYS:
            expected = f"a key with a not_ form ({', '.join(sorted(NEGATABLE))})"
        raise _error(RequestCode.UNKNOWN_KEY, column, pair, key, expected)
    if not value:
        raise _error(RequestCode.CONSTRAINT_SYNTAX, column, pair, pair.strip(), "key=value")
    _check_term(term)
    return term


def _start(text: str, column: int) -> int:
    return column + len(text) - len(text.lstrip())


def _error(code: RequestCode, column: int, text: str, value: str, expected: str) -> ConstraintError:
    return ConstraintError(code, FIELD, _start(text, column) if text.strip() else column, value, expected)


# -- values ------------------------------------------------------------------------------------------


def _check_term(term: Term) -> None:
    form, is_good = _FORMS.get(term.key, ("", None))
    if is_good is not None and not is_good(term.value):
        raise ConstraintError(RequestCode.INVALID_VALUE, FIELD, term.column, term.value, f"{term.key}={form}")


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 19


def _is_vid(value: str) -> bool:
    number = 0 if value == "untagged" else parse_integer(value)
    return number is not None and number <= MAX_VID


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return "%" not in value


def is_cidr(value: str) -> bool:
    """Whether it is a prefix with its length; host bits are allowed."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value


def _is_mac(value: str) -> bool:
    try:
        return MacAddress.parse(value).is_unicast
    except InvalidValue:
        return False


def _is_vlan(value: str) -> bool:
    """Whether a value is valid for a VLAN: `id:` and `vid:` take numbers; others are VIDs or names."""
    form, colon, rest = value.partition(":")
    if colon and form in _VLAN_FORMS:
        return _VLAN_FORMS[form](rest)
    return parse_integer(value) is None or _is_vid(value)


def _is_subnet(value: str) -> bool:
    form, colon, rest = value.partition(":")
    return _SUBNET_FORMS[form](rest) if colon and form in _SUBNET_FORMS else True


def _is_form(value: str) -> bool:
    """Whether a value has a valid form: `id:` takes a number, `name:` and `class:` any text."""
    form, colon, rest = value.partition(":")
    if colon and form == "id":
        return _is_number(rest)
    return bool(rest) if colon and form in ("name", "class") else True


def _one_of(
    words: type[AddressMode | AttachKind | MacvlanMode | InterfaceKind], but: AttachKind | None = None
) -> tuple[str, Callable[[str], bool]]:
    names = [word.value for word in words if word is not but]
    return "|".join(names), lambda value: value in names


_VLAN_FORMS: dict[str, Callable[[str], bool]] = {
    "id": _is_number,
    "vid": _is_vid,
    "name": bool,
    "fabric": bool,
    "subnet": bool,
    "space": bool,
}
_SUBNET_FORMS: dict[str, Callable[[str], bool]] = {
    "id": _is_number,
    "name": bool,
    "cidr": is_cidr,
    "ip": _is_address,
    "vid": _is_vid,
    "vlan": bool,
    "space": bool,
    "fabric": bool,
}
_VID = (f"a tag from 0 to {MAX_VID}, or untagged", _is_vid)
_FORMS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "id": ("the number of a host interface", _is_number),
    "vid": _VID,
    "vlan": (
        f"a tag from 0 to {MAX_VID}, untagged, a name, or id:, vid:, name:, fabric:, subnet:, space:",
        _is_vlan,
    ),
    "fabric": ("a name, a number, or id:, name:, class:", _is_form),
    "space": ("a name, a number, undefined, or id:, name:", _is_form),
    "subnet": (
        "a CIDR, a name, a number, or id:, name:, cidr:, ip:, vid:, vlan:, space:, fabric:",
        _is_subnet,
    ),
    "subnet_cidr": ("a CIDR such as 10.0.0.0/24", is_cidr),
    "ip": ("an IPv4 or IPv6 address", _is_address),
    "link_speed": ("a speed in Mbit/s", _is_number),
    "type": _one_of(InterfaceKind),
    "mode": _one_of(AddressMode),
    "attach": _one_of(AttachKind, AttachKind.OTHER),
    "macvlan_mode": _one_of(MacvlanMode),
    "mac": ("a unicast MAC address", _is_mac),
    "model": (
        "a NIC model such as virtio or e1000e",
        lambda value: bool(re.fullmatch(r"[A-Za-z0-9_-]+", value)),
    ),
}


def _settle(label: LabelConstraints) -> LabelConstraints:
    """Store the setting terms in the label's fields. The first term of a key counts (see contradictions)."""
    first = {}
    for term in reversed(label.terms):
        first[term.key] = term.value
    macvlan_mode = MacvlanMode(first["macvlan_mode"]) if "macvlan_mode" in first else None
    attach = AttachKind(first["attach"]) if "attach" in first else None
    return replace(
        label,
        ips=tuple(ip_address(t.value) for t in label.terms if t.key == "ip" and not t.negated),
        mode=AddressMode(first.get("mode", AddressMode.AUTO)),
        attach=AttachKind.MACVLAN if attach is None and macvlan_mode is not None else attach,
        macvlan_mode=macvlan_mode,
        network=first.get("network"),
        mac=MacAddress.parse(first["mac"]) if "mac" in first else None,
        model=first.get("model"),
    )
