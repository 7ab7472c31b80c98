"""Answer IPv6 router solicitations with an empty advertisement: without one, iPXE waits 13 seconds.

A program of its own, standard library only: `python ra.py INTERFACE…` (RFC 4861: lifetime 0, no prefix).
"""

import selectors
import socket
import struct
import sys

ALL_ROUTERS, ALL_NODES = "ff02::2", "ff02::1"
SOLICITATION, ADVERTISEMENT = 133, 134


def listen(interface: str) -> socket.socket:
    """A raw ICMPv6 socket on one interface that hears what is sent to all routers."""
    index = socket.if_nametoindex(interface)
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    group = socket.inet_pton(socket.AF_INET6, ALL_ROUTERS) + struct.pack("@I", index)
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    return raw


def answer(raw: socket.socket, advertisement: bytes, index: int) -> None:
    """Send the advertisement; an interface that has no link-local address yet is asked again."""
    try:
        raw.sendto(advertisement, (ALL_NODES, 0, 0, index))
    except OSError as error:
        print(f"no advertisement on interface {index}: {error}", file=sys.stderr, flush=True)


def main(interfaces: list[str]) -> None:
    """Answer for ever."""
    selector = selectors.DefaultSelector()
    for interface in interfaces:
        selector.register(listen(interface), selectors.EVENT_READ, socket.if_nametoindex(interface))
    advertisement = struct.pack("!BBHBBHII", ADVERTISEMENT, 0, 0, 64, 0, 0, 0, 0)
    while True:
        for key, _ in selector.select():
            raw = key.fileobj
            if isinstance(raw, socket.socket):
                packet, _sender = raw.recvfrom(2048)
                if packet[:1] == bytes([SOLICITATION]):
                    answer(raw, advertisement, key.data)


if __name__ == "__main__":
    main(sys.argv[1:])
