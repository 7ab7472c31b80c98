"""What release and lock take and answer."""

from hostloom.api.forms import In, Out, Text
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.machines import MachineOut


class CommentIn(In):
    """Why, for the event that tells of it."""

    comment: Text = ""


class ReleaseOut(Out):
    """The machine as it is, and the operation that takes it apart; null: it stays, and is free."""

    machine: MachineOut
    operation: OperationOut | None
