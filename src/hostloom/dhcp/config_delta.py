"""Reduces a configuration to the part that Kea has not accepted yet, for a test; pure."""

from collections.abc import Iterator
from typing import Any


def only_new_reservations(
    configuration: dict[str, Any], accepted_configuration: dict[str, Any] | None
) -> dict[str, Any]:
    """The configuration with only those reservations that the last accepted one did not contain.

    A test takes as long as setting the configuration, so reservations that Kea has accepted are left out.
    """
    if accepted_configuration is None:
        return configuration
    accepted_reservations = {subnet["id"]: _by_client(subnet) for subnet in _subnets(accepted_configuration)}
    return {
        name: {
            **document,
            key: [_new_of(subnet, accepted_reservations) for subnet in document[key]],
            "shared-networks": [
                {**shared, key: [_new_of(subnet, accepted_reservations) for subnet in shared[key]]}
                for shared in document["shared-networks"]
            ],
        }
        for name, document in configuration.items()
        for key in (f"subnet{name[-1]}",)
    }


def _subnets(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, server_config in document.items():
        key = f"subnet{name[-1]}"
        for part in (server_config, *server_config["shared-networks"]):
            yield from part[key]


def _by_client(subnet: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    by_client: dict[str, list[dict[str, Any]]] = {}
    for reservation in subnet["reservations"]:
        by_client.setdefault(_client(reservation), []).append(reservation)
    return by_client


def _client(reservation: dict[str, Any]) -> str:
    return str(reservation.get("hw-address") or reservation.get("duid"))


def _new_of(
    subnet: dict[str, Any], accepted_reservations: dict[int, dict[str, list[dict[str, Any]]]]
) -> dict[str, Any]:
    accepted = accepted_reservations.get(subnet["id"], {})
    new = [
        reservation
        for reservation in subnet["reservations"]
        if reservation not in accepted.get(_client(reservation), ())
    ]
    return {**subnet, "reservations": new}
