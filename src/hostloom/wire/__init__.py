"""Asks and watches the wire: throw-away probes, DHCP messages as they pass."""
