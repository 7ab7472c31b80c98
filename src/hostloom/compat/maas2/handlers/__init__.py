"""The resources of MAAS's API, one module a resource."""
