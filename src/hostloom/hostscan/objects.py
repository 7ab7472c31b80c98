"""Reads the objects of a JSON list as `ip` prints it, even if the whole text is not valid JSON."""

import json
import re
from itertools import pairwise
from typing import Any

from hostloom.model.finding import PARSE_ERRORS, Findings, in_words

#: Patterns of the start of a link's object and of a route's object; nested objects start differently.
LINK = re.compile(r'\{(?=\s*"if(?:index|name)"\s*:)')
ROUTE = re.compile(r'\{(?=\s*(?:"type"\s*:\s*"\w{1,20}"\s*,\s*)?"dst"\s*:)')
#: Up to 5.9, iproute2 prints the type of a blackhole route as a key without a value.
_BARE_TYPE = re.compile(r'\{\s*"(blackhole|unreachable|prohibit|throw)"\s*,')
_NAMES = re.compile(r'"(?:ifname|dst)"\s*:\s*"([^"\\]{1,64})"')


def read_objects(
    text: str, part: str, noun: str, start: "re.Pattern[str]", findings: Findings
) -> list[dict[str, Any]]:
    """Every readable object; unreadable text between two starts becomes a finding.

    Some versions of iproute2 print single links and routes as invalid JSON, and the output may be truncated.
    """
    text = _BARE_TYPE.sub(r'{"type":"\1",', text)
    try:
        value = json.loads(text or "[]")
    except PARSE_ERRORS as error:
        return _pieces(text, part, noun, start, findings, error)
    if not isinstance(value, list):
        findings.add(part, "a JSON list", type(value).__name__)
        return []
    objects = [item for item in value if isinstance(item, dict)]
    if len(objects) < len(value):
        findings.add(part, "a list of objects", f"{len(value) - len(objects)} things that are none")
    return objects


def _pieces(
    text: str, part: str, noun: str, start: "re.Pattern[str]", findings: Findings, error: BaseException
) -> list[dict[str, Any]]:
    """The objects one by one."""
    places = [match.start() for match in start.finditer(text)]
    if not places:
        findings.add(part, "a JSON list", in_words(error))
    decoder = json.JSONDecoder()
    objects: list[dict[str, Any]] = []
    for place, end in pairwise([*places, len(text)]):
        piece = text[place:end]
        try:
            objects.append(decoder.raw_decode(piece)[0])
        except PARSE_ERRORS as broken:
            name = _NAMES.search(piece)
            label = f"{noun} {name[1]}" if name else f"{noun} at character {place + 1}"
            findings.add(label, "JSON", f"{in_words(broken)}: {piece[:80]}")
    return objects
