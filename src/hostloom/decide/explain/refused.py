"""A refusal as the error that callers get: its data, and its words from this package."""

from hostloom.decide.explain.reason_texts import render_refusal
from hostloom.model.errors.refusals import HostFull, Refused
from hostloom.model.plan import Refusal, RequestCode

_FULL = frozenset({RequestCode.NOT_ENOUGH_CORES, RequestCode.NOT_ENOUGH_MEMORY, RequestCode.POOL_FULL})


def refused(refusal: Refusal, text: str = "", explanation: object = None) -> Refused:
    """The error of a refusal; `text` says it in another context, such as a batch."""
    words = text or render_refusal(refusal)
    if refusal.code in _FULL:
        return HostFull(
            refusal.code, words, explanation, refusal.subject, wanted=refusal.wanted, found=refusal.found
        )
    return Refused(refusal.code, words, explanation)
