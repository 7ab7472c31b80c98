"""Merging what clients keep with a thing, as they send it: an empty value takes a key away."""


def without_empty(values: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    """Values after changes, without those that are empty then."""
    return {name: value for name, value in {**values, **changes}.items() if value}
