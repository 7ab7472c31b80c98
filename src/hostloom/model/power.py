"""How the power of a bare machine is switched."""

import re
from dataclasses import dataclass, field, fields
from enum import StrEnum
from urllib.parse import urlsplit

from hostloom.model.disk_image import BootMode
from hostloom.model.errors.values import InvalidValue
from hostloom.model.ids import SystemId

#: An IPMI 2.0 password has at most 20 bytes; those of Redfish and the web are longer.
MAX_IPMI_PASSWORD, MAX_PASSWORD = 20, 255
MAX_ADDRESS, MAX_USER, MAX_POWER_ID = 1024, 255, 255
#: Cipher suites of the IPMI 2.0 specification, table 22-20.
MAX_CIPHER_SUITE = 17
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[\w.-]+)?")


class PowerKind(StrEnum):
    """The ways to switch the power of a machine."""

    #: A domain of a libvirt host that hostloom does not manage; for test machines.
    LIBVIRT = "libvirt"
    #: A BMC with IPMI 2.0.
    IPMI = "ipmi"
    #: A BMC with Redfish.
    REDFISH = "redfish"
    #: A person.
    MANUAL = "manual"


class IpmiPrivilege(StrEnum):
    """The privilege level that an IPMI session asks for; switching needs at least operator."""

    USER = "user"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class PowerSettings:
    """How the power of one machine is switched."""

    system_id: SystemId
    kind: PowerKind
    #: IPMI: a host name or an IP address. Redfish: a URL. libvirt: a URI.
    address: str = ""
    #: UDP port of IPMI; None: 623.
    port: int | None = None
    user: str = ""
    #: The password, encrypted with the server's key; empty: none.
    secret: str = field(default="", repr=False)
    #: Redfish: the id of the system, needed if the BMC has several. libvirt: the name of the domain.
    power_id: str = ""
    privilege: IpmiPrivilege = IpmiPrivilege.ADMINISTRATOR
    #: Of IPMI; None: ipmitool chooses the best that the BMC offers.
    cipher_suite: int | None = None
    #: Whether the certificate of a Redfish BMC is verified.
    verify_tls: bool = True
    #: The firmware mode of a boot that is requested from the BMC; None: as the machine is set up.
    boot_mode: BootMode | None = None


#: The fields that each kind uses besides `kind`; the others must have their default values.
USED_FIELDS: dict[PowerKind, frozenset[str]] = {
    PowerKind.LIBVIRT: frozenset({"address", "power_id"}),
    PowerKind.IPMI: frozenset(
        {"address", "port", "user", "secret", "privilege", "cipher_suite", "boot_mode"}
    ),
    PowerKind.REDFISH: frozenset({"address", "user", "secret", "power_id", "verify_tls", "boot_mode"}),
    PowerKind.MANUAL: frozenset(),
}
_REQUIRED = {
    PowerKind.LIBVIRT: ("address", "power_id"),
    PowerKind.IPMI: ("address",),
    PowerKind.REDFISH: ("address",),
}
_KIND_FIELDS = [field.name for field in fields(PowerSettings) if field.name not in ("system_id", "kind")]
_DEFAULTS = PowerSettings(SystemId(""), PowerKind.MANUAL)


def check_power_settings(settings: PowerSettings) -> None:
    """Raise InvalidValue unless the fields suit the kind and are well formed."""
    for name in _KIND_FIELDS:
        _check_used(settings, name)
    for name in _REQUIRED.get(settings.kind, ()):
        if not getattr(settings, name):
            raise InvalidValue(name, None, "is missing", f"kind {settings.kind} needs it")
    for name, limit in (("address", MAX_ADDRESS), ("user", MAX_USER), ("power_id", MAX_POWER_ID)):
        check_text(name, getattr(settings, name), limit)
    _check_numbers(settings)
    if settings.kind is PowerKind.IPMI and not _HOST.fullmatch(settings.address):
        raise InvalidValue("address", settings.address, "is not a host name or an IP address")
    if settings.kind is PowerKind.REDFISH:
        _check_url(settings.address)


def check_password(kind: PowerKind, password: str) -> None:
    """Raise InvalidValue, without the password, if the kind cannot use it."""
    limit = MAX_IPMI_PASSWORD if kind is PowerKind.IPMI else MAX_PASSWORD
    size = len(password.encode())
    if size > limit:
        raise InvalidValue("password", None, f"has {size} bytes", f"kind {kind} uses at most {limit}")
    if not password.isprintable():
        raise InvalidValue("password", None, "contains control characters, such as a line break")


def check_text(name: str, text: str, limit: int) -> None:
    """Raise InvalidValue for a text that is too long or has control characters."""
    if len(text) > limit:
        raise InvalidValue(name, text, f"has {len(text)} characters", f"use at most {limit}")
    if not text.isprintable():
        raise InvalidValue(name, text, "contains control characters")


def _check_used(settings: PowerSettings, name: str) -> None:
    value = getattr(settings, name)
    if name not in USED_FIELDS[settings.kind] and value != getattr(_DEFAULTS, name):
        shown = None if name == "secret" else value
        field_name = "password" if name == "secret" else name
        raise InvalidValue(field_name, shown, f"is not used by kind {settings.kind}", "omit it")


def _check_numbers(settings: PowerSettings) -> None:
    if settings.port is not None and not 1 <= settings.port <= 65535:
        raise InvalidValue("port", settings.port, "is out of range", "choose 1 to 65535")
    if settings.cipher_suite is not None and not 0 <= settings.cipher_suite <= MAX_CIPHER_SUITE:
        raise InvalidValue(
            "cipher_suite", settings.cipher_suite, "is out of range", f"choose 0 to {MAX_CIPHER_SUITE}"
        )


def _check_url(text: str) -> None:
    """A Redfish address: a URL without a password in it, because addresses are shown."""
    wanted = "give a URL such as https://10.0.0.9"
    try:
        url = urlsplit(text)
        has_port = url.port is None or url.port > 0
    except ValueError:
        raise InvalidValue("address", None, "is not a URL", wanted) from None
    if "@" in url.netloc:
        raise InvalidValue("address", None, "contains a user or a password", "use user and password instead")
    if url.scheme not in ("http", "https") or not url.hostname or not has_port:
        raise InvalidValue("address", text, "is not a URL of http or https", wanted)
    if url.query or url.fragment:
        raise InvalidValue("address", text, "has a query or a fragment", wanted)
