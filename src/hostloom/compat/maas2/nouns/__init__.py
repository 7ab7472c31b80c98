"""What MAAS calls its things, one module a noun."""
