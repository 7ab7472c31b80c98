"""Documents of release and lock."""

from hostloom.api.forms import Flag, In, Out, Text
from hostloom.api.routers.operations import OperationOut
from hostloom.api.shapes.machines import MachineOut


class CommentIn(In):
    """A reason, which is recorded in the event."""

    comment: Text = ""


class ReleaseIn(In):
    """How to release a machine.

    `erase` replaces its disks by empty ones; a bare machine overwrites the disk that was written. With
    `quick` it discards what the disk can discard and overwrites only where data begins.
    """

    erase: Flag = False
    quick: Flag = False


class ReleaseOut(Out):
    """The machine, and the operation that takes it out of use or decomposes it; null: it is free already."""

    machine: MachineOut
    operation: OperationOut | None
