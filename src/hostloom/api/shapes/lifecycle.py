"""Documents of release and lock."""

from hostloom.api.forms import In, Out, Text
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.machines import MachineOut


class CommentIn(In):
    """A reason, which is recorded in the event."""

    comment: Text = ""


class ReleaseOut(Out):
    """The machine, and the operation that decomposes it; null: the machine stays and is free."""

    machine: MachineOut
    operation: OperationOut | None
