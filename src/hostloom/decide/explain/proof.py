"""Texts about the checks of a NIC on the wire and their results."""

from hostloom.decide.machines.nic_expectations import VerificationMethod, VerificationReason
from hostloom.model.machine import Check, Evidence, Verdict

_REASONS = {
    VerificationReason.MACHINE_GONE: "the machine does not exist on its host",
    VerificationReason.MACHINE_OFF: "the machine is off",
    VerificationReason.NO_NIC: "the machine has no NIC with its MAC",
    VerificationReason.NO_DEVICE: "its device on the host is missing",
    VerificationReason.OTHER_KIND: "its kind of attachment is unknown to hostloom",
    VerificationReason.NOT_A_PORT: "its tap is not a port of a bridge",
    VerificationReason.NO_ADDRESS: "it has no planned address",
    VerificationReason.NO_GATEWAY: "its subnets have no gateway",
    VerificationReason.NO_VLAN: "its VLAN is unknown",
    VerificationReason.NO_ANSWER: "no device answers for it",
    VerificationReason.NOT_UP_YET: "the machine is not up yet: it sent no answer and has no lease",
    VerificationReason.NOT_MEASURED: "the length of frames was not measured",
    VerificationReason.GATEWAY_SILENT: "the gateway does not answer",
    VerificationReason.LINKS_NOT_READ: "the host's links cannot be read",
    VerificationReason.NO_PROBE: "probes are not available on this server",
    VerificationReason.PARENT_IS_ITS_OWN: "the machine owns the parent, so no probe can use it",
    VerificationReason.NETWORK_HAS_A_TAG: "its libvirt network sets a VLAN tag, which a probe cannot use",
    VerificationReason.NETWORK_WITHOUT_BRIDGE: "its libvirt network has no bridge",
    VerificationReason.HOST_UNREACHABLE: "the host cannot be reached",
}
_PASSED = {
    Check.ATTACHMENT: "attached to {found}",
    Check.CARRIER: "the NIC and its attachment have carrier",
    Check.DUPLICATE: "no other device answers for {wanted}",
    Check.GATEWAY: "gateway {wanted} answers from {found}",
    Check.MTU: "packets of {wanted} pass",
}
_FAILED = {
    Check.ATTACHMENT: "attached to {found}, not to {wanted}",
    Check.CARRIER: "no carrier: {found}",
    Check.DUPLICATE: "{found} also answers for {wanted}",
    Check.GATEWAY: "gateway {wanted} does not answer",
    Check.MTU: "of {wanted} only {found} pass",
}
_ADDRESS = {
    (Verdict.PASSED, VerificationMethod.PROBE): "the NIC answers for {wanted}",
    (Verdict.PASSED, VerificationMethod.LEASE): "{found} is leased to it",
    (Verdict.FAILED, VerificationMethod.PROBE): "{found} answers for {wanted} instead of the NIC",
    (Verdict.FAILED, VerificationMethod.LEASE): "{found} is leased to it instead of {wanted}",
}


def describe_evidence(evidence: Evidence) -> str:
    """One check in one line, without its name and verdict."""
    found, wanted = _in_words(evidence.found), evidence.wanted
    if evidence.verdict in (Verdict.UNKNOWN, Verdict.NOT_APPLICABLE):
        return found
    if evidence.check is Check.ADDRESS:
        return _ADDRESS[evidence.verdict, VerificationMethod(evidence.how)].format(found=found, wanted=wanted)
    if evidence.check is Check.ATTACHMENT and evidence.found in list(VerificationReason):
        return f"{found}; the planned address was {wanted}"
    words = _PASSED if evidence.verdict is Verdict.PASSED else _FAILED
    return words[evidence.check].format(found=found, wanted=wanted)


def describe_failures(nic: str, evidence: tuple[Evidence, ...]) -> str:
    """The failed checks of a NIC: `eth0: gateway: …; mtu: …`."""
    failed = (item for item in evidence if item.verdict is Verdict.FAILED)
    return f"{nic}: " + "; ".join(f"{evidence.check}: {describe_evidence(evidence)}" for evidence in failed)


def _in_words(observed: str) -> str:
    """The text of a reason, even if an external message follows it after a colon."""
    code, colon, more = observed.partition(": ")
    return (
        f"{_REASONS[VerificationReason(code)]}{colon}{more}" if code in list(VerificationReason) else observed
    )
