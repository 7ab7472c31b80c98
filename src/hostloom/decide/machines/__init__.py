"""The life of a machine: allocation, network boot, commissioning, drift and verification."""
