"""The settings that services and sagas follow; the server takes them from its configuration."""

from dataclasses import dataclass, field

from hostloom.model.host_uri import UriRules
from hostloom.model.ids import SystemId


@dataclass(frozen=True)
class ServiceSettings:
    """Settings that are the same for every request of one server."""

    #: The node that hostloom runs on (a controller), once it is known.
    local: SystemId | None = None
    #: The HTTP port of boot files on rack addresses; 0 = none.
    boot_port: int = 0
    #: The time that a machine has for its commissioning report.
    commission_timeout_s: float = 1200.0
    #: The time that a deployed machine has to report that it runs.
    deploy_timeout_s: float = 2400.0
    #: Whether the first SSH key of a host that a client of MAAS's API adds is trusted.
    trust_first_keys: bool = True
    #: Whether clients of MAAS's API may omit the fields of a PUT from an HMAC-SHA1 signature.
    maas_unsigned_put: bool = True
    #: The maximum number of machines that allocation has composed on demand for one ordinary user.
    max_on_demand_per_user: int = 50
    #: If this many machines are in state new, no further machine is enlisted automatically.
    max_new_machines: int = 1000
    #: The allowed URIs of hosts in addition to those that use no local files.
    uris: UriRules = field(default_factory=UriRules)
