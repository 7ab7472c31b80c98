"""The ports: what sagas and services need of the world, as Protocols that adapters and fakes fulfil."""
