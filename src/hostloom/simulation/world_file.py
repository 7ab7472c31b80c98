"""Reading of world files into a snapshot and cases (format: docs/reference/world-files.md)."""

from dataclasses import dataclass

from hostloom.decide.snapshot import Snapshot
from hostloom.simulation.case_reader import Case, read_asking, read_cases, read_request
from hostloom.simulation.host_reader import HostReader
from hostloom.simulation.network_reader import NetworkReader
from hostloom.simulation.sections import Numbers, Section, WorldError

FORMAT = 1


@dataclass(frozen=True)
class WorldDocument:
    """The content of a world file."""

    snapshot: Snapshot
    cases: tuple[Case, ...]


def read_world(data: object) -> WorldDocument:
    """Read a parsed YAML document. Raises WorldError with the path to the first mistake."""
    top = Section(data, ())
    if top.need("world", int) != FORMAT:
        raise top.error("world", f"world: expected {FORMAT}, the version of the format")
    numbers = Numbers()
    network = NetworkReader(numbers)
    network.read_fabrics(top.items("fabrics"))
    network.read_subnets(top.items("subnets"))
    hosts = HostReader(numbers, network)
    hosts.read_nodes(top.items("nodes"))
    hosts.read_hosts(top.items("hosts"))
    cases = read_cases(top.items("cases"), network)
    top.finish()
    return WorldDocument(_snapshot(network, hosts), cases)


def _snapshot(network: NetworkReader, hosts: HostReader) -> Snapshot:
    return Snapshot(
        tuple(network.fabrics.values()),
        tuple(network.vlans.values()),
        tuple(network.spaces.values()),
        tuple(network.subnets),
        tuple(network.ranges),
        (*network.held, *hosts.held()),
        tuple(hosts.nodes),
        hosts.states(),
        foreign_dhcp=tuple(network.foreign),
        silent_vlans=frozenset(network.silent),
    )


__all__ = ["FORMAT", "Case", "WorldDocument", "WorldError", "read_asking", "read_request", "read_world"]
