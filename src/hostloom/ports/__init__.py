"""The ports: Protocols of what sagas and services need, implemented by adapters and fakes."""
