"""The cases of a world file: requests, and what must come of them."""

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from hostloom.decide.request.resolve import parse_request
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.ids import ResourcePoolId, ZoneId
from hostloom.model.plan import RejectionCode, RequestCode, WarningCode
from hostloom.model.request import ComposeRequest, ParsedBatch, ParsedRequest, Strategy
from hostloom.simulation.network_reader import NetworkReader
from hostloom.simulation.sections import Section, group_id

#: Machines that one case may ask for.
MOST_MACHINES = 10_000
#: What is expected of one machine only.
_OF_ONE = frozenset({"host", "interfaces", "rejected"})


@dataclass(frozen=True)
class Case:
    """A request, and what must come of it as written in the file."""

    name: str
    request: ParsedRequest
    expect: dict[str, Any]
    #: More than one machine, or a strategy: a batch of so many copies, all or none.
    count: int = 1
    strategy: Strategy | None = None

    @property
    def batch(self) -> ParsedBatch | None:
        """The machines that are wanted together; None where it is a single one."""
        if self.count == 1 and self.strategy is None:
            return None
        return ParsedBatch((self.request,) * self.count, self.strategy)


@dataclass(frozen=True)
class Asking:
    """What a request section says."""

    request: ParsedRequest
    count: int
    strategy: Strategy | None


def read_request(section: Section) -> ParsedRequest:
    """A request for one machine."""
    request = _request(section)
    section.finish()
    return request


def read_asking(section: Section) -> Asking:
    """A request for one machine, or for several at once."""
    request = _request(section)
    asking = Asking(request, section.number("count", 1, 1, MOST_MACHINES), section.word("strategy", Strategy))
    section.finish()
    return asking


def _request(section: Section) -> ParsedRequest:
    host, zone, pool = (section.find(key, str) for key in ("host", "zone", "resource_pool"))
    request = ComposeRequest(
        host=host,
        interfaces=section.take("interfaces", str, ""),
        storage=section.take("storage", str, ""),
        cores=section.number("cores", 1, 1),
        memory_mib=section.number("memory_mib", 2048, 1),
        architecture=section.find("architecture", str),
        netboot=section.take("netboot", bool, True),
        anti_affinity=section.find("anti_affinity", str),
        qcow2=section.take("qcow2", bool, False),
        zone=zone,
        resource_pool=pool,
        host_tags=tuple(section.strings("host_tags")),
        not_host_tags=tuple(section.strings("not_host_tags")),
    )
    return replace(
        parse_request(request),
        in_zone=None if zone is None or host is not None else ZoneId(group_id(zone)),
        in_resource_pool=None if pool is None or host is not None else ResourcePoolId(group_id(pool)),
    )


def read_cases(sections: list[Section], network: NetworkReader) -> tuple[Case, ...]:
    """The cases; no two have one name."""
    names: set[str] = set()
    return tuple(_case(section, names, network) for section in sections)


def _case(section: Section, names: set[str], network: NetworkReader) -> Case:
    name = section.name(names, "cases")
    asking = read_asking(section.inner("request"))
    wanted = section.inner("expect")
    case = Case(name, asking.request, _expect(wanted, network), asking.count, asking.strategy)
    if case.batch is not None and (wrong := case.expect.keys() & _OF_ONE):
        raise wanted.error(min(wrong), f"{min(wrong)}: goes with one machine; of several, say hosts")
    section.finish()
    return case


def _expect(section: Section, network: NetworkReader) -> dict[str, Any]:
    """What is expected, as data; what no decision could ever meet is a mistake."""
    found: dict[str, Any] = {}
    if (error := section.word("error", RequestCode)) is not None:
        found["error"] = error
    if (host := section.find("host", str)) is not None:
        found["host"] = host
    if section.has("hosts"):
        hosts = section.inner("hosts")
        found["hosts"] = {name: _count(hosts, name) for name in hosts.names()}
    if section.has("interfaces"):
        found["interfaces"] = [_nic(item, network) for item in section.items("interfaces")]
    if section.has("warnings"):
        wanted = section.strings("warnings")
        found["warnings"] = [section.among("warnings", each, WarningCode) for each in wanted]
    if section.has("rejected"):
        inner = section.inner("rejected")
        codes = {name: inner.need(name, str) for name in inner.names()}
        found["rejected"] = {name: inner.among(name, code, RejectionCode) for name, code in codes.items()}
    wrong = [key for key in ("host", "hosts", "interfaces") if "error" in found and found.get(key)]
    if wrong:
        raise section.error(wrong[0], f"{wrong[0]}: a request that is refused has none")
    section.finish()
    return found


def _count(section: Section, name: str) -> int:
    section.need(name, int)
    return section.number(name, 0, high=MOST_MACHINES)


def _nic(section: Section, network: NetworkReader) -> dict[str, Any]:
    """The keys that are given, as `cases.as_data` writes a NIC."""
    values: dict[str, Any] = {
        "name": section.find("name", str),
        "attach": section.word("attach", AttachKind),
        "source": section.find("source", str),
        "mode": section.word("mode", MacvlanMode),
        "vlan": section.find("vlan", str),
        "ip": _ips(section),
        "boot": section.find("boot", bool),
    }
    network.find_vlan(section, "vlan")
    section.finish()
    return {key: value for key, value in values.items() if section.has(key)}


def _ips(section: Section) -> str | list[str] | None:
    if isinstance(section.raw("ip"), list):
        return [str(address) for address in section.addresses("ip")]
    return None if section.find("ip", str) is None else str(section.parsed("ip", ip_address))
