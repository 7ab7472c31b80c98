"""The kinds of events, each with its severity and a description."""

from enum import StrEnum
from typing import Self


class Severity(StrEnum):
    """How serious an event is, from the least to the most serious."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class EventKind(StrEnum):
    """What kind of thing happened. The values are stable: monitors match them."""

    severity: Severity
    #: One sentence for the reference page.
    description: str

    def __new__(cls, code: str, severity: Severity, description: str) -> Self:
        """A member with its code as the value."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.severity, member.description = severity, description
        return member

    HOST_ADDED = "host-added", Severity.INFO, "A host was added and read for the first time."
    HOST_LOST = "host-lost", Severity.ERROR, "A host no longer answers."
    HOST_BACK = "host-back", Severity.INFO, "A host that did not answer was read again."
    HOST_KEY_TRUSTED = (
        "host-key-trusted",
        Severity.INFO,
        "The first SSH key that a host showed was pinned; no other key is accepted from now on.",
    )
    HOST_MATCH_GAINED = "host-match-gained", Severity.INFO, "A host was matched to the node that it is."
    HOST_MATCH_LOST = "host-match-lost", Severity.WARNING, "A host no longer matches the node that it was."
    HOST_MATCH_AMBIGUOUS = (
        "host-match-ambiguous",
        Severity.WARNING,
        "A host's addresses, MACs and UUID match several nodes, so it is matched to none.",
    )
    HOST_MATCH_UNKNOWN = "host-match-unknown", Severity.WARNING, "A host matches no node any more."
    HOST_UUID_CHANGED = (
        "host-uuid-changed",
        Severity.WARNING,
        "A host reports another UUID than before, but has the same network interfaces.",
    )
    HOST_UUID_SHARED = (
        "host-uuid-shared",
        Severity.WARNING,
        "A host reports the UUID of another host, but has other network interfaces.",
    )
    HOST_PART_UNREADABLE = (
        "host-part-unreadable",
        Severity.WARNING,
        "A part of a host, such as a storage pool or a link, could not be read; the rest of the host was.",
    )
    HOST_PART_READABLE = (
        "host-part-readable",
        Severity.INFO,
        "A part of a host that could not be read was read again, or no longer exists.",
    )
    NETWORK_FIXED = (
        "network-fixed",
        Severity.INFO,
        "`host fix-network` changed the libvirt networks of a host.",
    )
    DRIFT = (
        "drift",
        Severity.WARNING,
        "A host, a node or a machine differs from what is recorded.",
    )
    DRIFT_ENDED = "drift-ended", Severity.INFO, "A machine no longer differs from what is recorded."

    MACHINE_COMPOSED = "machine-composed", Severity.INFO, "A machine was created and is ready."
    MACHINE_REFUSED = (
        "machine-refused",
        Severity.WARNING,
        "A machine could not be composed; the event keeps the explanation.",
    )
    MACHINE_DECOMPOSED = "machine-decomposed", Severity.INFO, "A machine was deleted with its disks."
    MACHINE_ADOPTED = (
        "machine-adopted",
        Severity.INFO,
        "A machine that hostloom did not create was found on a host and recorded.",
    )
    MACHINE_CLONED = (
        "machine-cloned",
        Severity.WARNING,
        "An adopted machine carries the mark of another machine, but has a UUID of its own: it is a copy.",
    )
    MACHINE_UUID_SHARED = (
        "machine-uuid-shared",
        Severity.WARNING,
        "Another host has a machine with the UUID of this machine, but without its mark.",
    )
    MACHINE_MISSING = "machine-missing", Severity.WARNING, "A machine is no longer on its host."
    MACHINE_FOUND = "machine-found", Severity.INFO, "A missing machine is on its host again."
    MACHINE_MOVED = "machine-moved", Severity.INFO, "A machine was moved to another host by hand."
    MACHINE_NOT_FOUND = (
        "machine-not-found",
        Severity.WARNING,
        "A machine was decomposed or forgotten while hosts that may run it did not answer.",
    )
    MACHINE_FORGOTTEN = (
        "machine-forgotten",
        Severity.INFO,
        "The record of a machine was removed; nothing was deleted on a host.",
    )
    MACHINE_ON = "machine-on", Severity.INFO, "A machine was switched on from outside hostloom."
    MACHINE_OFF = (
        "machine-off",
        Severity.INFO,
        "A machine was switched off from outside hostloom, or by itself.",
    )
    MACHINE_POWER_CHANGED = (
        "machine-power-changed",
        Severity.INFO,
        "The power settings of a bare machine were set or deleted.",
    )
    MACHINE_POWER_BY_HAND = (
        "machine-power-by-hand",
        Severity.WARNING,
        "A person must switch a bare machine on or off.",
    )
    MACHINE_UP = "machine-up", Severity.INFO, "A machine reported that its system has started."
    MACHINE_ALLOCATED = "machine-allocated", Severity.INFO, "A machine was given to a user."
    MACHINE_RELEASED = "machine-released", Severity.INFO, "A user gave a machine back."
    MACHINE_LOCKED = "machine-locked", Severity.INFO, "A machine was locked against changes."
    MACHINE_UNLOCKED = "machine-unlocked", Severity.INFO, "A machine was unlocked."
    MACHINE_BROKEN = "machine-broken", Severity.WARNING, "A machine was marked as broken."
    MACHINE_FIXED = "machine-fixed", Severity.INFO, "A machine that was marked as broken is ready again."
    NIC_REMOVED = "nic-removed", Severity.INFO, "A network interface was removed from a composed machine."

    MACHINE_ENLISTED = (
        "machine-enlisted",
        Severity.INFO,
        "An unknown machine booted from the network and was recorded as new.",
    )
    MACHINE_COMMISSIONING = (
        "machine-commissioning",
        Severity.INFO,
        "A machine is going to boot the commissioning environment.",
    )
    MACHINE_COMMISSIONED = "machine-commissioned", Severity.INFO, "A machine reported its hardware."
    MACHINE_DIFFERS = (
        "machine-differs",
        Severity.WARNING,
        "The hardware that a machine reported differs from what was planned.",
    )
    COMMISSIONING_FAILED = (
        "commissioning-failed",
        Severity.ERROR,
        "A machine that was to be commissioned did not report in time.",
    )
    MACHINE_DEPLOYING = (
        "machine-deploying",
        Severity.INFO,
        "A machine was started with a new system, and is to report when the system runs.",
    )
    DEPLOY_OPTION_IGNORED = (
        "deploy-option-ignored",
        Severity.WARNING,
        "A client asked for a detail of a deployment that has no effect here.",
    )
    MACHINE_DEPLOYED = "machine-deployed", Severity.INFO, "The new system of a machine runs."
    DEPLOYMENT_FAILED = (
        "deployment-failed",
        Severity.ERROR,
        "The new system of a machine reported errors, or did not report in time.",
    )
    NODE_REPORTED = (
        "node-reported",
        Severity.INFO,
        "A host, controller or device booted from the network and reported its hardware.",
    )
    IMAGE_BUILT = "image-built", Severity.INFO, "A boot image was built; machines boot it from now on."
    IMAGE_IMPORTED = (
        "image-imported",
        Severity.INFO,
        "A disk image was imported or built, or replaced by a newer one.",
    )
    IMAGE_DELETED = "image-deleted", Severity.INFO, "An image was deleted."

    WIRE_CHECK_FAILED = (
        "wire-check-failed",
        Severity.ERROR,
        "A check of a machine's NICs on the wire failed.",
    )
    WIRE_CHECK_PASSED = (
        "wire-check-passed",
        Severity.INFO,
        "No check of a machine's NICs on the wire fails any more.",
    )
    ADDRESS_ON_WIRE = (
        "address-on-wire",
        Severity.WARNING,
        "A free address turned out to be in use on the wire; it counts as taken for a day.",
    )
    ADDRESS_ON_WIRE_OVER = (
        "address-on-wire-over",
        Severity.INFO,
        "An address that was in use on the wire counts as free again.",
    )

    DHCP_UP = "dhcp-up", Severity.INFO, "The DHCP server of a rack answers and serves what it should."
    DHCP_DOWN = (
        "dhcp-down",
        Severity.ERROR,
        "The DHCP server of a rack does not answer, or a part of it fails.",
    )
    DHCP_REJECTED = "dhcp-rejected", Severity.ERROR, "The DHCP server of a rack rejected its configuration."
    LEASE_GIVEN = "lease-given", Severity.INFO, "A DHCP server gave a lease."
    LEASE_OVER = "lease-over", Severity.INFO, "A DHCP lease ended."
    ADDRESS_CONFLICT = (
        "address-conflict",
        Severity.WARNING,
        "An address is leased to one client and reserved for another.",
    )
    RANGE_EXHAUSTED = (
        "range-exhausted",
        Severity.WARNING,
        "All dynamic addresses of a subnet are leased: new clients get none.",
    )
    RANGE_FREE = (
        "range-free",
        Severity.INFO,
        "A subnet whose dynamic addresses were all leased has free ones again.",
    )
    FOREIGN_DHCP = (
        "foreign-dhcp",
        Severity.WARNING,
        "A DHCP server that is not hostloom's answers on a VLAN.",
    )
    FOREIGN_DHCP_GONE = (
        "foreign-dhcp-gone",
        Severity.INFO,
        "A DHCP server that is not hostloom's no longer answers on a VLAN.",
    )

    SSH_KEY_ADDED = "ssh-key-added", Severity.INFO, "A user got an SSH key, for machines that are deployed."
    SSH_KEY_DELETED = "ssh-key-deleted", Severity.INFO, "An SSH key of a user was deleted."
    IMPORTED = "imported", Severity.INFO, "The data of a MAAS was imported."
    LOGIN_THROTTLED = (
        "login-throttled",
        Severity.WARNING,
        "Too many wrong logins of a user or an address were counted; further ones are refused for a minute.",
    )


def kinds_of(least: Severity) -> tuple[EventKind, ...]:
    """The kinds of events with at least this severity."""
    order = list(Severity)
    return tuple(kind for kind in EventKind if order.index(kind.severity) >= order.index(least))
