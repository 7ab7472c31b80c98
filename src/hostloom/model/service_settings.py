"""The settings that services and sagas follow; the server takes them from its configuration."""

from dataclasses import dataclass, field

from hostloom.model.host_uri import UriRules
from hostloom.model.ids import SystemId


@dataclass(frozen=True)
class ServiceSettings:
    """The same for every request of one server."""

    #: The node that hostloom runs on (a controller), once it is known.
    local: SystemId | None = None
    #: Machines get boot files at this port of a rack address, over HTTP; 0 = none.
    boot_port: int = 0
    #: A machine that is commissioned has this long to report.
    commission_timeout_s: float = 1200.0
    #: A machine that was started with a new system has this long to report that it runs.
    deploy_timeout_s: float = 2400.0
    #: A host that a client of MAAS's API adds is trusted with the SSH key that it shows first.
    trust_first_keys: bool = True
    #: Clients of MAAS's API may leave the fields of a PUT out of what they sign by HMAC-SHA1.
    maas_unsigned_put: bool = True
    #: Machines that allocation composes on demand for one ordinary user, at a time.
    max_on_demand_per_user: int = 50
    #: While so many machines wait in state new, no other machine is enlisted automatically.
    max_new_machines: int = 1000
    #: Which URIs a host may have beyond those that touch no file of this machine.
    uris: UriRules = field(default_factory=UriRules)
