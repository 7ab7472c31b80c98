"""`events/`: the event log in pages."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.forms import Form
from hostloom.compat.maas2.responses import MaasResponse, answer, bad_field, uri
from hostloom.compat.maas2.views.machines import AGENT_NAME
from hostloom.compat.maas2.views.network import View
from hostloom.model.event import Event, EventSubject, EventSubjectKind
from hostloom.model.event_kind import Severity
from hostloom.model.ids import MacAddress, SystemId
from hostloom.model.node import Node
from hostloom.ports.store import UnitOfWork
from hostloom.services import events as service

events = Resource("Events", "events/", "Read the event log.")
RESOURCES = (events,)

#: MAAS's levels.
LEVELS = ("AUDIT", "CRITICAL", "DEBUG", "ERROR", "INFO", "WARNING")
_MAX = 1000
_PAGE = 100
#: The number of latest events that a query searches.
_SEARCHED = 20_000
#: The minimum severity for each level of MAAS. hostloom has no CRITICAL events.
_SEVERITIES = {
    "AUDIT": Severity.INFO,
    "DEBUG": Severity.INFO,
    "INFO": Severity.INFO,
    "WARNING": Severity.WARNING,
    "ERROR": Severity.ERROR,
}


@events.op(
    "GET",
    "query",
    "List events, newest first.",
    Param("hostname", "Hostnames of the nodes to match; may be repeated."),
    Param("mac_address", "MACs of the nodes to match; may be repeated."),
    Param("id", "System ids of the nodes to match; may be repeated."),
    Param("zone", "Zone of the nodes to match."),
    Param("domain", "Domains of the nodes to match."),
    Param("agent_name", "Agent that allocated the nodes to match."),
    Param("level", f"Minimum level, one of {', '.join(LEVELS)}."),
    Param("limit", f"Number of events in a page; default {_PAGE}, at most {_MAX}.", "Int"),
    Param("before", "Return events with lower ids than this.", "Int"),
    Param("after", "Return events with higher ids than this.", "Int"),
    Param("owner", "User whose requests caused the events."),
)
def query(call: Call) -> MaasResponse:
    """Return a page of events with the URIs of the adjacent pages."""
    form = call.form
    limit = form.whole("limit", 1, _MAX) or _PAGE
    before, after = form.whole("before", 0, 2**31), form.whole("after", 0, 2**31)
    if before is not None and after is not None:
        raise bad_field("after", "Use before or after, not both.")
    least = _SEVERITIES.get(form.choice("level", LEVELS) or "INFO")
    with call.begin() as uow:
        documents = _matching(call, uow, _events(call, uow, before, least), after)
    page = documents[-limit:] if after is not None else documents[:limit]
    return answer(
        {
            "count": len(page),
            "events": page,
            "next_uri": _uri(form, after=page[0]["id"] if page else after or 0),
            "prev_uri": _uri(form, before=page[-1]["id"] if page else before or 0),
        }
    )


def _matching(
    call: Call, uow: UnitOfWork, candidates: Iterable[Event], after: int | None
) -> list[dict[str, Any]]:
    view = View(uow)
    matches = _filter(call.form, view)
    node_of = _node_finder(uow, view)
    documents: list[dict[str, Any]] = []
    for event in candidates:
        if after is not None and event.id <= after:
            break
        node = node_of(event.subject)
        if matches(node):
            documents.append(_shown(event, node))
    return documents


def _events(call: Call, uow: UnitOfWork, before: int | None, least: Severity | None) -> list[Event]:
    if least is None:
        return []
    return service.list_(uow, call.principal, before, _SEARCHED, least=least)


def _node_finder(uow: UnitOfWork, view: View) -> Callable[[EventSubject], Node | None]:
    """Make a function that returns the node of an event's subject: a machine, node, host or rack."""
    nodes = {node.system_id: node for node in view.world.nodes}
    hosts: dict[str, SystemId | None] = {
        str(state.host.id): state.host.correlation.system_id for state in view.world.hosts
    }
    racks: dict[str, SystemId | None] = {str(rack.id): rack.system_id for rack in uow.racks.list()}

    def find(subject: EventSubject) -> Node | None:
        if subject.kind in (EventSubjectKind.MACHINE, EventSubjectKind.NODE):
            return nodes.get(SystemId(subject.key))
        systems = {EventSubjectKind.HOST: hosts, EventSubjectKind.RACK: racks}.get(subject.kind, {})
        system_id = systems.get(subject.key)
        return None if system_id is None else nodes.get(system_id)

    return find


def _filter(form: Form, view: View) -> Callable[[Node | None], bool]:
    hostnames, ids, domains = form.texts("hostname"), form.texts("id"), form.texts("domain")
    macs = {MacAddress.parse(text, "mac_address") for text in form.texts("mac_address")}
    zone, agent, owner = form.text("zone"), form.text("agent_name"), form.text("owner")

    def matches(node: Node | None) -> bool:
        if node is None:
            return not (hostnames or ids or domains or macs or zone or agent or owner)
        return (
            (not hostnames or node.hostname in hostnames)
            and (not ids or node.system_id in ids)
            and (not domains or view.domain(node.domain_id)["name"] in domains)
            and (not macs or bool(macs & {nic.mac for nic in node.interfaces}))
            and (not zone or view.zone(node.zone_id)["name"] == zone)
            and (not agent or view.notes_of(node.system_id).get(AGENT_NAME) == agent)
            and not owner
        )

    return matches


def _shown(event: Event, node: Node | None) -> dict[str, Any]:
    created = datetime.fromtimestamp(event.at, UTC)
    return {
        "username": "unknown",
        "node": "" if node is None else node.system_id,
        "hostname": "" if node is None else node.hostname,
        "id": event.id,
        "level": event.severity.upper(),
        # Clients parse this format.
        "created": created.strftime("%a, %d %b. %Y %H:%M:%S"),
        "type": event.kind.replace("-", " ").capitalize(),
        "description": f"{event.subject}: {event.message}",
    }


def _uri(form: Form, **bounds: int) -> str:
    parameters = [(name, value) for name, values in form.fields.items() for value in values]
    parameters = [(name, value) for name, value in parameters if name not in ("before", "after")]
    return uri("events/?" + urlencode([("op", "query"), *parameters, *bounds.items()]))
