"""The fields of a request, from its query and its url-encoded or multipart body."""

import email
import email.policy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import parse_qsl

from hostloom.compat.maas2.responses import Fault, bad_field, refuse
from hostloom.model.keep import KEEP, Keep
from hostloom.model.network import Address

T = TypeVar("T")

TRUE = frozenset({"true", "1", "on", "yes", "t", "y"})
FALSE = frozenset({"false", "0", "off", "no", "f", "n"})
#: Far above the number of fields in any real request.
MAX_FIELDS = 5000
MAX_INT = 2**31 - 1
_INT = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")


@dataclass(frozen=True, slots=True)
class Form:
    """Fields by name, each with all its values in order. Files are fields with bytes as their value."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    @property
    def names(self) -> set[str]:
        """The names of all fields and files."""
        return {*self.fields, *self.files}

    def text(self, name: str) -> str | None:
        """Return the last value, which may be empty; None for an absent field."""
        values = self.fields.get(name)
        return values[-1] if values else None

    def changed(self, name: str) -> str | Keep:
        """Return the new value of an attribute; KEEP for an absent field."""
        value = self.text(name)
        return KEEP if value is None else value

    def required(self, name: str) -> str:
        """Return the value. Raises 400 for an empty or absent field."""
        value = self.text(name)
        if value is None or not value.strip():
            raise bad_field(name, "This field is required.")
        return value

    def texts(self, name: str) -> list[str]:
        """Return all values: of repeated fields, comma-separated lists and Python lists (`['a', 'b']`)."""
        parts: list[str] = []
        for value in self.fields.get(name, ()):
            listed = value.strip()
            if listed.startswith("[") and listed.endswith("]"):
                listed = listed[1:-1].replace("'", "").replace('"', "")
            parts += [part.strip() for part in listed.split(",")]
        return [part for part in parts if part]

    def whole(self, name: str, least: int | None = None, most: int = MAX_INT) -> int | None:
        """Return a 32-bit integer; None for an absent or empty field."""
        value = self.text(name)
        if value is None or not value.strip():
            return None
        if not _INT.fullmatch(value):
            raise bad_field(name, f"Enter a whole number, not {_shown(value)}.")
        number = int(value)
        if least is not None and number < least:
            raise bad_field(name, f"Ensure this value is greater than or equal to {least}.")
        if number < -most - 1:
            raise bad_field(name, f"Ensure this value is greater than or equal to {-most - 1}.")
        if number > most:
            raise bad_field(name, f"Ensure this value is less than or equal to {most}.")
        return number

    def number(self, name: str) -> float | None:
        """Return a finite number; None for an absent or empty field."""
        value = self.text(name)
        if value is None or not value.strip():
            return None
        try:
            number = float(value)
        except ValueError:
            raise bad_field(name, f"Enter a number, not {_shown(value)}.") from None
        if number != number or number in (float("inf"), float("-inf")):
            raise bad_field(name, f"Enter a finite number, not {_shown(value)}.")
        return number

    def flag(self, name: str) -> bool | None:
        """Return a Boolean in any spelling of MAAS's clients; None for an absent or empty field."""
        value = self.text(name)
        if value is None or not value.strip():
            return None
        lowered = value.strip().lower()
        if lowered not in TRUE | FALSE:
            raise bad_field(name, f"Enter true or false, not {_shown(value)}.")
        return lowered in TRUE

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Return one of the choices; None for an absent or empty field."""
        value = self.text(name)
        if value is None or not value.strip():
            return None
        if value not in choices:
            raise bad_field(name, f"{_shown(value)} is not one of: {', '.join(choices)}.")
        return value

    def address(self, name: str) -> Address | None:
        """Return an IP address; None for an absent or empty field."""
        value = self.text(name)
        return None if value is None or not value.strip() else self.parse_address(name, value)

    def parse_address(self, name: str, value: str) -> Address:
        """Parse the value of a field, or a part of it, as an IP address."""
        try:
            return ip_address(value.strip())
        except ValueError:
            raise bad_field(name, f"{_shown(value)} is not an IPv4 or IPv6 address.") from None

    def without(self, *names: str) -> "Form":
        """Copy the form without some fields."""
        return Form({k: v for k, v in self.fields.items() if k not in names}, self.files)


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "…")


def read_query(query: bytes) -> Form:
    """Read the fields of a query string."""
    return _form(_pairs(query))


def read_body(content_type: str, body: bytes) -> Form:
    """Read the fields of a body. Raises 400 if it is neither url-encoded nor multipart.

    The mail parser reads multipart bodies, because two clients encode the parts in base64 and a third omits
    the final line break. Some clients send a part without a name when they have no parameters.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        return Form()
    if kind in ("application/x-www-form-urlencoded", ""):
        return _form(_pairs(body))
    if kind == "multipart/form-data":
        return _multipart(content_type, body)
    raise refuse(400, f"The body is {kind[:60]!r}; expected form fields, url-encoded or multipart/form-data.")


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except (UnicodeDecodeError, ValueError):
        raise refuse(400, "The fields are not url-encoded UTF-8.") from None


def _form(pairs: Sequence[tuple[str, str]]) -> Form:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise bad_field(name.replace("\x00", ""), "Null characters are not allowed.")
        fields.setdefault(name, []).append(value)
    return Form(fields)


def _multipart(content_type: str, body: bytes) -> Form:
    try:
        header = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1")
        message = email.message_from_bytes(header + body, policy=email.policy.HTTP)
        parts = message.get_payload()
    except (UnicodeError, ValueError, LookupError, AttributeError, IndexError):
        raise _unreadable() from None
    if not isinstance(parts, list):
        # Ansible sends the closing delimiter alone when it has no parameters.
        boundary = message.get_param("boundary")
        if isinstance(boundary, str) and body.strip() == f"--{boundary}--".encode():
            return Form()
        raise _unreadable()
    if len(parts) > MAX_FIELDS:
        raise _unreadable()
    pairs: list[tuple[str, str]] = []
    files: dict[str, bytes] = {}
    for part in parts:
        _read_part(part, pairs, files)
    return Form(_form(pairs).fields, files)


def _read_part(part: object, pairs: list[tuple[str, str]], files: dict[str, bytes]) -> None:
    if not isinstance(part, Message):
        raise _unreadable()
    try:
        name = part.get_param("name", header="content-disposition")
        filename = part.get_filename()
        value = part.get_payload(decode=True)
    except (UnicodeError, ValueError, LookupError, AttributeError, IndexError, TypeError):
        raise _unreadable() from None
    if name is None:
        return
    if not isinstance(name, str) or not isinstance(value, bytes):
        raise _unreadable()
    if filename is not None and filename != name:
        files[name] = value
        return
    try:
        pairs.append((name, value.decode()))
    except UnicodeDecodeError:
        files[name] = value


def _unreadable() -> Fault:
    return refuse(400, "The multipart body cannot be read.")
