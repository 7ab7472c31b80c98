"""Merging of key-value pairs that clients store with a record."""


def without_empty(values: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    """Apply changes. An empty value removes its key."""
    return {name: value for name, value in {**values, **changes}.items() if value}
