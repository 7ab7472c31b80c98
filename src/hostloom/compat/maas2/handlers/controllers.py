"""`rackcontrollers/` and `regioncontrollers/`: the machines that run hostloom and its DHCP servers."""

from collections.abc import Callable

from hostloom.compat.maas2.call import Call
from hostloom.compat.maas2.catalogue import Param, Resource
from hostloom.compat.maas2.responses import MaasResponse, answer, not_found
from hostloom.compat.maas2.views.network import View
from hostloom.compat.maas2.views.nodes import NodeView
from hostloom.model.node import Node, NodeKind
from hostloom.ports.store import UnitOfWork
from hostloom.services import nodes
from hostloom.services.racks import RACKS

_FILTERS = (
    Param("hostname", "Hostnames to match; may be repeated."),
    Param("id", "System ids to match; may be repeated."),
)
_REGION_KINDS = (NodeKind.REGION_CONTROLLER, NodeKind.REGION_AND_RACK_CONTROLLER)


class _Controllers:
    """The resources and actions of one kind of controller."""

    def __init__(
        self, name: str, path: str, label: str, matcher: Callable[[Call, UnitOfWork], Callable[[Node], bool]]
    ) -> None:
        self._kind, self._region, self._matcher = name, path.startswith("region"), matcher
        self.several = Resource(f"{name}s", f"{path}/", f"Read {label}s.")
        self.one = Resource(name, f"{path}/{{system_id}}/", f"Read a {label}.")
        self.several.crud("read", f"List {label}s.", *_FILTERS)(self.list)
        self.one.crud("read", f"Show a {label}.")(self.read)
        self.one.op("GET", "query_power_state", f"Show whether a {label} is on.")(self.power_state)

    def list(self, call: Call) -> MaasResponse:
        """List in the order of system ids."""
        hostnames, ids = call.form.texts("hostname"), call.form.texts("id")
        with call.begin() as uow:
            node_view, matches = NodeView(View(uow)), self._matcher(call, uow)
            return answer(
                [
                    node_view.controller(node, region=self._region)
                    for node in nodes.list_(uow, call.principal)
                    if matches(node)
                    and (not hostnames or node.hostname in hostnames)
                    and (not ids or node.system_id in ids)
                ]
            )

    def read(self, call: Call) -> MaasResponse:
        """Look up by system id."""
        with call.begin() as uow:
            return answer(NodeView(View(uow)).controller(self._find(call, uow), region=self._region))

    def power_state(self, call: Call) -> MaasResponse:
        """Return `unknown`, because hostloom does not control the power of controllers."""
        with call.begin() as uow:
            self._find(call, uow)
        return answer({"state": "unknown"})

    def _find(self, call: Call, uow: UnitOfWork) -> Node:
        key = call.places["system_id"]
        node = nodes.get(uow, call.principal, key)
        if node.system_id != key or not self._matcher(call, uow)(node):
            raise not_found(self._kind)
        return node


def _racks(call: Call, uow: UnitOfWork) -> Callable[[Node], bool]:
    """Match nodes with a DHCP server of hostloom, whatever their kind."""
    keys = {rack.system_id for rack in RACKS.list(uow, call.principal)}
    return lambda node: node.system_id in keys


def _regions(call: Call, _: UnitOfWork) -> Callable[[Node], bool]:
    return lambda node: node.kind in _REGION_KINDS or node.system_id == call.ports.settings.local


_RACKS = _Controllers("RackController", "rackcontrollers", "rack controller", _racks)
_REGION = _Controllers("RegionController", "regioncontrollers", "region controller", _regions)
RESOURCES = (_RACKS.several, _RACKS.one, _REGION.several, _REGION.one)
