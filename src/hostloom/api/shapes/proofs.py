"""The forms of proofs on the wire."""

from typing import Self

from pydantic import Field

from hostloom.api.forms import In, Out, Text, like
from hostloom.decide.explain.proof import describe_evidence
from hostloom.model.machine import Evidence, NicProof, Verdict


class VerifyIn(In):
    """Which machines: by name or system id, or those of a host; without either all."""

    machines: list[Text] = Field(default_factory=list)
    host: Text | None = None


@like(Evidence)
class EvidenceOut(Out):
    """One check: what was wanted and found, how it was seen, and the same in words."""

    text: str

    @classmethod
    def of(cls, item: Evidence) -> Self:
        """Of the model."""
        return cls.made(item, text=describe_evidence(item))


@like(NicProof, hide=("nic",))
class NicProofOut(Out):
    """The badge of a NIC: the worst verdict, when it was found (seconds since the epoch), all evidence."""

    verdict: Verdict
    evidence: list[EvidenceOut]

    @classmethod
    def of(cls, item: NicProof) -> Self:
        """Of the model."""
        return cls.made(item, evidence=[EvidenceOut.of(evidence) for evidence in item.evidence])
