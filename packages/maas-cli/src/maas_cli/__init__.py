"""The `maas` command, driven by the description that a server gives of itself."""

__version__ = "0.1.0"
