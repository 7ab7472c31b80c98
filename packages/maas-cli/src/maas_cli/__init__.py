"""The `maas` command, which gets its commands from the server's description of its API."""

__version__ = "0.1.0"
