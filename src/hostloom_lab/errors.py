"""What goes wrong in the lab, in words."""


class LabError(Exception):
    """A clear reason why the lab cannot do what was asked."""
