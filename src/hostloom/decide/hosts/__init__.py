"""Interprets readings of hosts: correlation, inventory, VLANs of interfaces, drift and fixes."""
