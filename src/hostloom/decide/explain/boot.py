"""Texts about network boots, and about differences that commissioning found."""

from hostloom.decide.machines.boot import BootDecision, BootReason
from hostloom.decide.machines.commissioning import CommissioningDifference, DifferenceCode
from hostloom.model.commissioning import BootAction

ACTIONS = {
    BootAction.COMMISSION: "commissioning",
    BootAction.ENLIST: "enlisting",
    BootAction.LOCAL: "its own disk",
    BootAction.RESCUE: "the rescue environment",
    BootAction.DEPLOY: "deployment",
}

BOOT_REASONS = {
    BootReason.ASKED: "a user requested it",
    BootReason.NEVER_COMMISSIONED: "it has not reported its hardware yet",
    BootReason.COMMISSIONING: "it is being commissioned",
    BootReason.NEW: "it is new, and hostloom changes it only after `hostloom machine commission`",
    BootReason.ADOPTED: "it was adopted, and hostloom does not change it",
    BootReason.NOT_DEPLOYED: "no system was installed on its disk",
    BootReason.SETTLED: "it is already set up",
    BootReason.IDLE: "it has nothing to boot from the network",
    BootReason.OTHER_NODE: "it is a node, but not a machine",
    BootReason.UNKNOWN: "it is not known yet",
    BootReason.ENLISTING_OFF: "it is unknown, and the setting enlist is false",
}

DIFFERENCES = {
    DifferenceCode.CORES: "{found} cores instead of {wanted}",
    DifferenceCode.MEMORY: "{found} MiB of memory instead of {wanted}",
    DifferenceCode.ARCHITECTURE: "the architecture {found} instead of {wanted}",
    DifferenceCode.DISK_MISSING: "no disk {subject} of {wanted} bytes",
    DifferenceCode.DISK_UNEXPECTED: "a disk {subject} of {found} bytes that is not in its record",
    DifferenceCode.DISK_SIZE: "disk {subject} has {found} bytes instead of {wanted}",
    DifferenceCode.NIC_MISSING: "no NIC with {subject}'s MAC address {wanted}",
    DifferenceCode.NIC_UNEXPECTED: "a NIC {subject} with the MAC address {found} that is not in its record",
    DifferenceCode.NO_CARRIER: "NIC {subject} has no carrier",
    DifferenceCode.NO_LEASE: "NIC {subject} got no address by DHCP; the planned address is {wanted}",
    DifferenceCode.ADDRESS: "NIC {subject} got {found} by DHCP; the planned address is {wanted}",
}


def render_boot(decision: BootDecision) -> str:
    """`its own disk, because …`."""
    action = ACTIONS[decision.action]
    if decision.tries_disk_first:
        action = f"its own disk if a system starts from it, otherwise {action}"
    return f"{action}, because {BOOT_REASONS[decision.reason]}"


def render_difference_found(difference: CommissioningDifference) -> str:
    """A difference in one line."""
    text = DIFFERENCES[difference.code]
    return text.format(subject=difference.subject, wanted=difference.wanted, found=difference.found)
