"""Texts about drift: the recorded and the observed value."""

from hostloom.model.drift import Drift

#: The noun of a difference by its kind; the subject follows.
_SUBJECTS = {
    "host-cores": "cores",
    "host-memory": "memory",
    "machine-cores": "cores",
    "machine-copy": "a copy on host",
    "machine-disk": "disk",
    "machine-mark": "the mark of hostloom",
    "machine-memory": "memory",
    "machine-name": "the name in libvirt",
    "machine-nic": "NIC",
    "machine-volume": "the volume of disk",
    "pool": "storage pool",
    "network": "libvirt network",
}


def render_change(change: Drift) -> str:
    """One line: `NIC eth1 (52:54:00:00:00:01): bridge br0 is now gone`."""
    subject = " ".join(filter(None, (_subject(change.kind), change.subject)))
    if not change.recorded:
        return f"{subject}: new, {change.observed}"
    return f"{subject}: {change.recorded} is now {change.observed or 'gone'}"


def render_end(change: Drift) -> str:
    """One line about a difference that no longer exists."""
    subject = " ".join(filter(None, (_subject(change.kind), change.subject)))
    return f"{subject}: as recorded again" if change.recorded else f"{subject}: gone again"


def _subject(kind: str) -> str:
    if kind in _SUBJECTS:
        return _SUBJECTS[kind]
    noun, _, attribute = kind.partition("-")
    if noun == "interface" and attribute not in ("appeared", "vanished"):
        return f"{attribute.replace('-', ' ')} of interface"
    return _SUBJECTS.get(noun, noun)
