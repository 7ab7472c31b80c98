"""MAAS's API 2.0, as its clients know it: a translation to the same services as the native API."""
