"""libvirt URIs of hosts: parsed into their parts, and allowed by a list per scheme."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from hostloom.model.errors.values import InvalidValue


class Refuse(Protocol):
    """Makes an error about the URI."""

    def __call__(self, problem: str, allowed: str = "") -> InvalidValue: ...


MAX_URI_LENGTH = 512
MAX_PORT = 65535
#: Where libvirt's daemons listen, as their packages set them up.
LIBVIRT_SOCKETS = frozenset(
    f"{folder}/{name}"
    for folder in ("/run/libvirt", "/var/run/libvirt")
    for name in ("libvirt-sock", "virtqemud-sock")
)
#: What a URI may be written with; a scheme in capitals would be another one to those who compare text.
_TEXT = re.compile(r"[a-z0-9+]+://[!-\[\]-~]*")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?\.?")
_ZONE = re.compile(r"[A-Za-z0-9._-]{1,15}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}\$?")
_PASSWORD = re.compile(r"(://[^/@?#]*?):[^/?#]*@")


@dataclass(frozen=True, slots=True)
class UriRules:
    """URIs that the server's settings allow in addition to those that use no local files."""

    #: libvirt's test driver, for demonstrations.
    test_hosts: bool = False
    #: Sockets of libvirt on this machine, in addition to its standard ones.
    sockets: frozenset[str] = frozenset()
    #: Folders on this machine with files that `keyfile` may name.
    key_folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostUri:
    """The parts of an allowed URI."""

    scheme: str
    user: str | None
    #: None: this machine.
    host: str | None
    port: int | None
    path: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Form:
    """The valid form of URIs with one scheme."""

    shown: str
    paths: frozenset[str]
    has_host: bool = False
    has_user: bool = False
    parameters: frozenset[str] = field(default_factory=frozenset)


_SYSTEM = frozenset({"/system"})
_FORMS: Mapping[str, _Form] = {
    "qemu+ssh": _Form(
        "qemu+ssh://[USER@]HOST[:PORT]/system",
        # Without a path the system's libvirt is meant, too.
        _SYSTEM | {"", "/"},
        has_host=True,
        has_user=True,
        parameters=frozenset({"keyfile", "socket"}),
    ),
    "qemu+tls": _Form("qemu+tls://HOST[:PORT]/system", _SYSTEM, has_host=True),
    "qemu+unix": _Form("qemu+unix:///system[?socket=PATH]", _SYSTEM, parameters=frozenset({"socket"})),
    "qemu": _Form("qemu:///system", _SYSTEM),
}
_TEST = _Form("test:///default", frozenset({"/default"}))


def mask_password(uri: str) -> str:
    """The URI with *** instead of a password."""
    return _PASSWORD.sub(r"\1:***@", uri)


def parse_host_uri(text: str, rules: UriRules | None = None, field_name: str = "uri") -> HostUri:
    """The parts of a URI that a host may have; InvalidValue says what is wrong and never shows a password."""
    rules = rules or UriRules()
    masked = mask_password(text)[:MAX_URI_LENGTH]

    def refuse(problem: str, allowed: str = "") -> InvalidValue:
        return InvalidValue(field_name, masked, problem, allowed)

    if len(text) > MAX_URI_LENGTH:
        raise refuse(f"has more than {MAX_URI_LENGTH} characters")
    forms = {**_FORMS, "test": _TEST} if rules.test_hosts else _FORMS
    form = forms.get(text.partition("://")[0])
    if form is None or not _TEXT.fullmatch(text):
        raise refuse(
            "is not a libvirt URI that hostloom can use",
            f"write one of {', '.join(form.shown for form in forms.values())}",
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise refuse("has no valid host or port", f"a port is 1 to {MAX_PORT}") from error
    if parts.password is not None:
        raise refuse("contains a password", "remove it and use a key file or ssh-agent")
    if parts.path not in form.paths:
        raise refuse(f"does not end in {min(form.paths - {'', '/'})}", f"write {form.shown}")
    if parts.fragment or text.endswith(("?", "#")):
        raise refuse("ends in ? or has a #", f"write {form.shown}")
    return HostUri(
        parts.scheme,
        _user(parts, form, refuse),
        _host(parts, form, refuse),
        _port(parts, port, form, refuse),
        parts.path,
        _parameters(parts, form, rules, refuse),
    )


def _host(parts: SplitResult, form: _Form, refuse: Refuse) -> str | None:
    if not form.has_host:
        if parts.netloc:
            raise refuse("names a host", f"write {form.shown}")
        return None
    host = unquote(parts.hostname or "")
    if ":" in host:
        address, _, zone = host.partition("%")
        try:
            if zone and not _ZONE.fullmatch(zone):
                raise ValueError(zone)
            return str(ip_address(address)) + (f"%{zone}" if zone else "")
        except ValueError as error:
            raise refuse("has no valid host", "give a host name or an address") from error
    if not _HOST.fullmatch(host):
        raise refuse("has no valid host", "give a host name or an address")
    return host


def _user(parts: SplitResult, form: _Form, refuse: Refuse) -> str | None:
    if parts.username is None:
        return None
    user = unquote(parts.username)
    if not form.has_user:
        raise refuse("names a user", f"write {form.shown}")
    if not _USER.fullmatch(user):
        raise refuse("has an invalid user", "give a login name")
    return user


def _port(parts: SplitResult, port: int | None, form: _Form, refuse: Refuse) -> int | None:
    if port == 0 or (form.has_host and parts.netloc.endswith(":")):
        raise refuse("has an invalid port", f"use 1 to {MAX_PORT}")
    return port


def _parameters(parts: SplitResult, form: _Form, rules: UriRules, refuse: Refuse) -> dict[str, str]:
    if not parts.query:
        return {}
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, max_num_fields=8)
    except ValueError as error:
        raise refuse("has malformed parameters", "write each as NAME=VALUE") from error
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in form.parameters:
            allowed_names = " and ".join(sorted(form.parameters))
            allowed = f"use only {allowed_names}" if allowed_names else "remove it"
            raise refuse(f"has the unknown parameter {name[:40]!r}", allowed)
        if name in values:
            raise refuse(f"has the parameter {name} twice", "give it once")
        _check_path(name, value, refuse)
        values[name] = value
    if "socket" in values:
        _check_socket(values["socket"], parts.scheme, rules, refuse)
    if "keyfile" in values:
        _check_keyfile(values["keyfile"], rules, refuse)
    return values


def _check_path(name: str, path: str, refuse: Refuse) -> None:
    """Check that the path is absolute and unambiguous."""
    steps = path.split("/")
    if not path.startswith("/") or not path.isprintable() or {"", ".", ".."} & set(steps[1:]):
        raise refuse(f"has an invalid {name}", "give an absolute path without . and ..")


def _check_socket(path: str, scheme: str, rules: UriRules, refuse: Refuse) -> None:
    # A socket over SSH is on the other machine, where the settings of this one do not count.
    allowed = LIBVIRT_SOCKETS if scheme == "qemu+ssh" else LIBVIRT_SOCKETS | rules.sockets
    if path not in allowed:
        more = "" if scheme == "qemu+ssh" else ", or allow others with the setting libvirt_sockets"
        raise refuse("has a socket that is not allowed", f"use {', '.join(sorted(allowed))}{more}")


def _check_keyfile(path: str, rules: UriRules, refuse: Refuse) -> None:
    if path.rpartition("/")[0] not in rules.key_folders:
        folders = " or ".join(rules.key_folders) or "the folder that the setting ssh_key_dir names"
        raise refuse("has a keyfile in a folder that is not allowed", f"use a keyfile in {folders}")
