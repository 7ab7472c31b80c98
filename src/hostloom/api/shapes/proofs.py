"""The forms of proofs on the wire."""

from typing import Self

from pydantic import Field

from hostloom.api.forms import In, Out, Text
from hostloom.decide.explain.proof import describe_evidence
from hostloom.model.proof import Check, Evidence, NicProof, Verdict


class VerifyIn(In):
    """Which machines: by name or system id, or those of a host; without either all."""

    machines: list[Text] = Field(default_factory=list)
    host: Text | None = None


class EvidenceOut(Out):
    """One check: what was wanted and found, how it was seen, and the same in words."""

    check: Check
    verdict: Verdict
    wanted: str
    found: str
    how: str
    text: str

    @classmethod
    def of(cls, item: Evidence) -> Self:
        """Of the model."""
        return cls(
            check=item.check,
            verdict=item.verdict,
            wanted=item.wanted,
            found=item.found,
            how=item.how,
            text=describe_evidence(item),
        )


class NicProofOut(Out):
    """The badge of a NIC: the worst verdict, when it was found (seconds since the epoch), all evidence."""

    verdict: Verdict
    at: float
    evidence: list[EvidenceOut]

    @classmethod
    def of(cls, item: NicProof) -> Self:
        """Of the model."""
        return cls(
            verdict=item.verdict, at=item.at, evidence=[EvidenceOut.of(each) for each in item.evidence]
        )
