"""The cases of a world file: requests with their expected outcomes."""

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from hostloom.decide.request.resolve import parse_request
from hostloom.model.attachment import AttachKind, MacvlanMode
from hostloom.model.ids import ResourcePoolId, ZoneId
from hostloom.model.reasons import RejectionCode, RequestCode, WarningCode
from hostloom.model.request import ComposeRequest, ParsedBatch, ParsedRequest, Strategy
from hostloom.simulation.network_reader import NetworkReader
from hostloom.simulation.sections import Section, group_id

#: The maximum number of machines in a case.
MOST_MACHINES = 10_000
#: Expectations that apply only to a single machine.
_OF_ONE = frozenset({"host", "interfaces", "rejected"})


@dataclass(frozen=True)
class Case:
    """A request and its expected outcome, as the file states it."""

    name: str
    request: ParsedRequest
    expect: dict[str, Any]
    #: A count above 1 or a strategy makes a batch of identical machines, which are placed all or none.
    count: int = 1
    strategy: Strategy | None = None

    @property
    def batch(self) -> ParsedBatch | None:
        """The machines of a batch; None for a single machine."""
        if self.count == 1 and self.strategy is None:
            return None
        return ParsedBatch((self.request,) * self.count, self.strategy)


@dataclass(frozen=True)
class Asking:
    """The content of a request section."""

    request: ParsedRequest
    count: int
    strategy: Strategy | None


def read_request(section: Section) -> ParsedRequest:
    """Read a request for one machine."""
    request = _request(section)
    section.finish()
    return request


def read_asking(section: Section) -> Asking:
    """Read a request for one machine or for a batch."""
    request = _request(section)
    batch_request = Asking(
        request, section.number("count", 1, 1, MOST_MACHINES), section.word("strategy", Strategy)
    )
    section.finish()
    return batch_request


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
    """Read the cases, whose names must be unique."""
    names: set[str] = set()
    return tuple(_case(section, names, network) for section in sections)


def _case(section: Section, names: set[str], network: NetworkReader) -> Case:
    name = section.name(names, "cases")
    batch_request = read_asking(section.inner("request"))
    expectation = section.inner("expect")
    case = Case(
        name,
        batch_request.request,
        _expect(expectation, network),
        batch_request.count,
        batch_request.strategy,
    )
    if case.batch is not None and (single_only := case.expect.keys() & _OF_ONE):
        raise expectation.error(
            min(single_only), f"{min(single_only)}: goes with one machine; of several, say hosts"
        )
    section.finish()
    return case


def _expect(section: Section, network: NetworkReader) -> dict[str, Any]:
    """Read an expected outcome. An outcome that no decision can have is an error."""
    expected: dict[str, Any] = {
        "error": section.word("error", RequestCode),
        "host": section.find("host", str),
        "hosts": _host_counts(section),
        "interfaces": _nics(section, network),
        "warnings": _warnings(section),
        "rejected": _rejected(section),
    }
    expected = {key: value for key, value in expected.items() if value is not None}
    contradictions = [
        key for key in ("host", "hosts", "interfaces") if "error" in expected and expected.get(key)
    ]
    if contradictions:
        key = contradictions[0]
        raise section.error(key, f"{key}: a request that is refused has none")
    section.finish()
    return expected


def _host_counts(section: Section) -> dict[str, int] | None:
    if not section.has("hosts"):
        return None
    hosts = section.inner("hosts")
    return {name: _count(hosts, name) for name in hosts.names()}


def _nics(section: Section, network: NetworkReader) -> list[dict[str, Any]] | None:
    if not section.has("interfaces"):
        return None
    return [_nic(item, network) for item in section.items("interfaces")]


def _warnings(section: Section) -> list[WarningCode] | None:
    if not section.has("warnings"):
        return None
    return [section.among("warnings", code, WarningCode) for code in section.strings("warnings")]


def _rejected(section: Section) -> dict[str, RejectionCode] | None:
    if not section.has("rejected"):
        return None
    inner = section.inner("rejected")
    codes = {name: inner.need(name, str) for name in inner.names()}
    return {name: inner.among(name, code, RejectionCode) for name, code in codes.items()}


def _count(section: Section, name: str) -> int:
    section.need(name, int)
    return section.number(name, 0, high=MOST_MACHINES)


def _nic(section: Section, network: NetworkReader) -> dict[str, Any]:
    """Read the expected keys of a NIC, in the format of `cases.as_data`."""
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
