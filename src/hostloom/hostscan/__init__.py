"""Reads a host's links, bridges, VLANs, addresses and routes."""
