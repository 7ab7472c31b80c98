"""Documents of verifications on the wire."""

from typing import Self

from pydantic import Field

from hostloom.api.forms import In, Out, Text, like
from hostloom.decide.explain.proof import describe_evidence
from hostloom.model.machine import Evidence, NicProof, Verdict


class VerifyIn(In):
    """The machines to verify: by name or system id, or those of a host; by default all."""

    machines: list[Text] = Field(default_factory=list)
    host: Text | None = None


@like(Evidence)
class EvidenceOut(Out):
    """One check: the expected and actual values, the method, and the same as text."""

    text: str

    @classmethod
    def of(cls, item: Evidence) -> Self:
        """Of the model."""
        return cls.made(item, text=describe_evidence(item))


@like(NicProof, hide=("nic",))
class NicProofOut(Out):
    """The result for a NIC: the worst verdict, its time (seconds since the epoch), and all evidence."""

    verdict: Verdict
    evidence: list[EvidenceOut]

    @classmethod
    def of(cls, item: NicProof) -> Self:
        """Of the model."""
        return cls.made(item, evidence=[EvidenceOut.of(evidence) for evidence in item.evidence])
