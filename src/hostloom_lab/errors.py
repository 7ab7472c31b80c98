"""Errors of the lab."""


class LabError(Exception):
    """The reason why the lab cannot do something."""
