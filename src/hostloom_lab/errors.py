"""Errors of the lab."""


class LabError(Exception):
    """The lab cannot do something; the text is the reason."""
