"""Probes the wire with temporary NICs, and observes DHCP messages."""
