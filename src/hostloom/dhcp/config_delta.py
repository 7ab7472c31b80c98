"""Reduces a configuration to the part that Kea has not accepted yet, for a test; pure."""

from collections.abc import Iterator
from typing import Any


def only_new_reservations(wanted: dict[str, Any], taken: dict[str, Any] | None) -> dict[str, Any]:
    """The configuration with only those reservations that the last accepted one did not contain.

    A test takes as long as setting the configuration, so reservations that Kea has accepted are left out.
    """
    if taken is None:
        return wanted
    known = {subnet["id"]: _by_client(subnet) for subnet in _subnets(taken)}
    return {
        name: {
            **document,
            key: [_new_of(each, known) for each in document[key]],
            "shared-networks": [
                {**shared, key: [_new_of(each, known) for each in shared[key]]}
                for shared in document["shared-networks"]
            ],
        }
        for name, document in wanted.items()
        for key in (f"subnet{name[-1]}",)
    }


def _subnets(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, found in document.items():
        key = f"subnet{name[-1]}"
        for part in (found, *found["shared-networks"]):
            yield from part[key]


def _by_client(subnet: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in subnet["reservations"]:
        found.setdefault(_client(each), []).append(each)
    return found


def _client(reservation: dict[str, Any]) -> str:
    return str(reservation.get("hw-address") or reservation.get("duid"))


def _new_of(subnet: dict[str, Any], known: dict[int, dict[str, list[dict[str, Any]]]]) -> dict[str, Any]:
    before = known.get(subnet["id"], {})
    new = [each for each in subnet["reservations"] if each not in before.get(_client(each), ())]
    return {**subnet, "reservations": new}
