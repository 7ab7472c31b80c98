"""Plans an import: compares the source inventory with the present records and lists the changes."""

from hostloom.migration.addresses import plan_addresses
from hostloom.migration.groups import plan_groups
from hostloom.migration.hosts import plan_hosts
from hostloom.migration.import_state import Defaults, ImportState, Present
from hostloom.migration.kept_fields import plan_kept
from hostloom.migration.network import plan_network
from hostloom.migration.new_ids import renumbered
from hostloom.migration.nodes import plan_nodes
from hostloom.migration.renumbering import describe, plan_renumberings
from hostloom.migration.subnets import plan_ranges, plan_subnets
from hostloom.model.import_plan import ImportPlan
from hostloom.model.source_inventory import SourceInventory

__all__ = ["Defaults", "Present", "plan_import"]


def plan_import(present: Present, source: SourceInventory, *, prefer_theirs: bool = False) -> ImportPlan:
    """Plan the changes of an import in their order. The plan is deterministic.

    An import removes no record. Records that hostloom created automatically may get new ids, so that imported
    records keep theirs. Records on both sides stay as they are here, unless their differing settings have
    the defaults or `prefer_theirs` is set. A second import changes nothing.
    """
    # The trial maps their records to ours, which shows the ids that our records must free.
    trial = _network(ImportState(present, source, prefer_theirs=prefer_theirs))
    moves = plan_renumberings(trial)
    state = ImportState(renumbered(present, moves), source, prefer_theirs=prefer_theirs)
    state.changes += describe(state, moves)
    _network(state)
    plan_ranges(state)
    plan_nodes(state)
    plan_addresses(state)
    plan_hosts(state)
    plan_kept(state)
    notes = (*source.notes, *state.notes)
    return ImportPlan(source.source, tuple(state.changes), _unserved(state), notes, tuple(state.kept))


def _network(state: ImportState) -> ImportState:
    plan_groups(state)
    plan_network(state)
    plan_subnets(state)
    return state


def _unserved(state: ImportState) -> tuple[str, ...]:
    """List the VLANs that only the other system serves with DHCP."""
    vlan_ids = [
        state.vlans[vlan.id]
        for vlan in sorted(state.source.vlans, key=lambda vlan_: vlan_.id)
        if vlan.dhcp_on and vlan.id in state.vlans and not state.vlan_by_id[state.vlans[vlan.id]].dhcp_on
    ]
    return tuple(state.vlan_name(vlan_id) for vlan_id in vlan_ids)
