"""The documents that MAAS's clients read."""
