"""Two Kea servers as a hot-standby pair: the HA hook's configuration; pure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hostloom.model.dhcp import HaIntent, HaPeer

#: Milliseconds without an answer after which a partner counts as dead (Kea's defaults: 10 s, 60 s).
HEARTBEAT_MS = 1000
MAX_RESPONSE_MS = 3000


def hooks(ha: HaIntent, version: int, directory: Path) -> Sequence[dict[str, Any]]:
    """The hooks of a server in a pair (Kea 2.2, ARM 16.9).

    `max-unacked-clients` of 0: a standby serves as soon as its partner is silent, without waiting for clients
    that get no answer; both know every reservation, so no address can be given to two.
    """
    return [
        {
            "library": str(directory / "libdhcp_ha.so"),
            "parameters": {
                "high-availability": [
                    {
                        "this-server-name": ha.this_name,
                        "mode": "hot-standby",
                        "heartbeat-delay": HEARTBEAT_MS,
                        "max-response-delay": MAX_RESPONSE_MS,
                        "max-ack-delay": MAX_RESPONSE_MS,
                        "max-unacked-clients": 0,
                        "multi-threading": {
                            "enable-multi-threading": True,
                            "http-dedicated-listener": True,
                            "http-listener-threads": 2,
                            "http-client-threads": 2,
                        },
                        "peers": [_peer(peer, version) for peer in ha.peers],
                    }
                ]
            },
        }
    ]


def _peer(peer: HaPeer, version: int) -> dict[str, Any]:
    host = f"[{peer.address}]" if peer.address.version == 6 else str(peer.address)
    port = peer.port + (1 if version == 6 else 0)
    return {
        "name": peer.name,
        "url": f"http://{host}:{port}/",
        "role": str(peer.role),
        "auto-failover": True,
    }
