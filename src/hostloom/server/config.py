"""Reads the settings; flags override HOSTLOOM_* variables, which override the configuration file."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from hostloom.model.errors.server import ConfigError
from hostloom.server import setting_values as values
from hostloom.server.setting_values import Listen

DEFAULT_FILE = Path("/etc/hostloom/config.toml")
DEFAULT_LISTEN = Listen("127.0.0.1", 5240)
PREFIX = "HOSTLOOM_"
#: Variables of the command line (cli/session.py) and of the lab, which are not settings of the server.
CLIENT_VARIABLES = frozenset({"HOSTLOOM_URL", "HOSTLOOM_TOKEN", "HOSTLOOM_CONFIG", "HOSTLOOM_CACHE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of the server; each is a key of the file and a variable with the prefix HOSTLOOM_."""

    #: Persistent state: the database, pinned host keys, the files of the embedded Kea.
    state_dir: Path = Path("/var/lib/hostloom")
    #: URL of the database; empty: SQLite in the state directory.
    database_url: str = ""
    #: Address of the API over TCP.
    listen: Listen = DEFAULT_LISTEN
    #: File from which secrets of API keys are derived, created at the first start; servers of one database
    #: share it.
    secret_file: Path | None = None
    #: Unix socket of the API for local administrators.
    socket: Path = Path("/run/hostloom/api.sock")
    #: Members of this group are administrators over the socket.
    admin_group: str = "hostloom"
    #: Port of the boot server on the rack's addresses; 0: no boot server.
    boot_port: int = 0
    #: Directory of boot images, one folder per image, and of disk images, in `disks`; none: `images` in the
    #: state directory.
    image_dir: Path | None = None
    #: Maximum size of a disk image, and of the file that it is imported from.
    max_image_gib: int = 64
    #: Whether images may be downloaded from this machine (loopback addresses), such as from a local mirror.
    image_urls_local: bool = False
    #: Networks from which machines may boot and report, in addition to the subnets that our DHCP serves.
    boot_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    #: Maximum number of new machines; while it is reached, no further machine is enlisted automatically.
    max_new_machines: int = 1000
    #: Maximum number of machines that an ordinary user may have composed on demand at a time; 0: none.
    max_on_demand_per_user: int = 50
    #: Kernel and initramfs that machines boot from the network instead of all images.
    boot_kernel: Path | None = None
    boot_initrd: Path | None = None
    #: Additional arguments for the kernel's command line.
    boot_cmdline: str = ""
    #: Port of the TFTP server that gives iPXE to firmware, if boot files are served; 0: no TFTP server.
    tftp_port: int = 69
    #: Whether an unknown machine that boots from the network reports its hardware and is listed as new.
    enlist: bool = True
    #: Time limit for the report of a machine that is being commissioned.
    commission_timeout_min: int = 20
    deploy_timeout_min: int = 40
    #: Kea's control socket; none: hostloom serves no DHCP.
    kea_socket: Path | None = None
    #: The control socket of Kea's DHCPv6 server; none: hostloom serves DHCPv4 only.
    kea_socket6: Path | None = None
    #: Folders on this machine in which a rack's `unix:` control sockets may be.
    kea_socket_dirs: tuple[Path, ...] = (Path("/run/kea"), Path("/var/run/kea"))
    #: Whether hostloom starts and supervises Kea itself, with its files in the state directory.
    kea_embedded: bool = False
    #: Whether to trust the first SSH key of hosts that clients of MAAS's API add, because those clients
    #: cannot
    #: pass a key.
    maas_trust_first_key: bool = True
    #: Whether HMAC-SHA1 signatures of a PUT may omit the fields of the body, as those of one client do.
    maas_unsigned_put: bool = True
    #: Whether libvirt's test driver (`test:///default`) may be a host, for demonstrations and tests.
    test_hosts: bool = False
    #: Sockets of libvirt on this machine that a URI may name, in addition to those of libvirt's packages.
    libvirt_sockets: tuple[Path, ...] = ()
    #: The folder of private keys that a URI's `keyfile` may name; none: only `~/.ssh` of the server's user.
    ssh_key_dir: Path | None = None
    #: OpenSSH configuration for connections to hosts; none: OpenSSH's own.
    ssh_config: Path | None = None
    #: Age in seconds at which hosts are read again; 0: only on request and before a compose.
    refresh_every_s: int = 300
    #: Interval in seconds at which hosts are pinged; 0: a lost host is noticed when it is read.
    ping_every_s: int = 15
    #: Interval in seconds at which VLANs are probed for DHCP servers, beginning at the start; 0: only on
    #: request.
    probe_every_s: int = 600
    #: Names by which clients reach the API over TCP, in addition to addresses, localhost and this machine's
    #: name.
    allowed_hosts: tuple[str, ...] = ()
    #: Whether to trust X-Forwarded-Host, -Proto and -For, which a proxy in front of the server sets.
    proxy_headers: bool = False
    #: Limits of simultaneous connections to the API, in total and per address (on the socket: per user).
    max_connections: int = 512
    max_connections_per_address: int = 128
    log_level: str = "info"
    #: Threads that run operations.
    workers: int = 8

    @property
    def secret(self) -> Path:
        """The file of the server's own secret."""
        return self.secret_file or self.state_dir / "secret"

    @property
    def images(self) -> Path:
        """The folder of boot images."""
        return self.image_dir or self.state_dir / "images"

    @property
    def serves_dhcp(self) -> bool:
        """Whether this machine has a Kea."""
        return self.kea_embedded or self.kea_socket is not None

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.state_dir / 'hostloom.db'}"


def load_settings(
    environ: Mapping[str, str], flags: Mapping[str, Any] | None = None, file: Path | None = None
) -> Settings:
    """Read the settings from a file, variables and flags; ConfigError names the first invalid one.

    Flags of None are absent. A missing file is an error only if it was named.
    """
    if file is None and f"{PREFIX}CONFIG" in environ:
        file = Path(environ[f"{PREFIX}CONFIG"])
    file_values = _read_file(file)
    for name, value in environ.items():
        if name.startswith(PREFIX) and name not in CLIENT_VARIABLES:
            file_values[_known(name.removeprefix(PREFIX).lower(), name)] = value
    for name, value in (flags or {}).items():
        if value is not None:
            file_values[_known(name, name)] = value
    return Settings(**{name: _PARSERS[name](name, value) for name, value in file_values.items()})


def _read_file(explicit_path: Path | None) -> dict[str, Any]:
    path = explicit_path or DEFAULT_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if explicit_path is None:
            return {}
        raise ConfigError("config", str(path), "does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("config", str(path), f"cannot be read: {error}") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("config", str(path), f"is not TOML: {error}") from error
    return {_known(name, f"{name} in {path}"): value for name, value in document.items()}


def _known(name: str, path: str) -> str:
    if name not in _PARSERS:
        raise ConfigError(path, None, "is unknown", f"the settings are {', '.join(_PARSERS)}")
    return name


_PARSERS: dict[str, Callable[[str, Any], Any]] = {
    "state_dir": values.parse_path,
    "database_url": values.parse_text,
    "secret_file": values.parse_optional_path,
    "listen": values.parse_listen,
    "socket": values.parse_path,
    "admin_group": values.parse_text,
    "boot_port": values.parse_number(0, values.MAX_PORT),
    "image_dir": values.parse_optional_path,
    "max_image_gib": values.parse_number(1, 16_384),
    "image_urls_local": values.parse_flag,
    "boot_networks": values.parse_networks,
    "max_new_machines": values.parse_number(0, 1_000_000),
    "max_on_demand_per_user": values.parse_number(0, 1_000_000),
    "boot_kernel": values.parse_optional_path,
    "boot_initrd": values.parse_optional_path,
    "boot_cmdline": values.parse_text,
    "tftp_port": values.parse_number(0, values.MAX_PORT),
    "enlist": values.parse_flag,
    "maas_trust_first_key": values.parse_flag,
    "commission_timeout_min": values.parse_number(1, 24 * 60),
    "deploy_timeout_min": values.parse_number(1, 24 * 60),
    "kea_socket": values.parse_optional_path,
    "kea_socket6": values.parse_optional_path,
    "kea_socket_dirs": values.parse_paths,
    "kea_embedded": values.parse_flag,
    "maas_unsigned_put": values.parse_flag,
    "test_hosts": values.parse_flag,
    "libvirt_sockets": values.parse_paths,
    "ssh_key_dir": values.parse_optional_path,
    "ssh_config": values.parse_optional_path,
    "refresh_every_s": values.parse_number(0, 86_400),
    "ping_every_s": values.parse_number(0, 86_400),
    "probe_every_s": values.parse_number(0, 86_400),
    "allowed_hosts": values.parse_texts,
    "proxy_headers": values.parse_flag,
    "max_connections": values.parse_number(1, 100_000),
    "max_connections_per_address": values.parse_number(1, 100_000),
    "log_level": values.parse_level,
    "workers": values.parse_number(1, 256),
}
