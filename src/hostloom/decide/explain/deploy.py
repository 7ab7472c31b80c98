"""Texts about the disk that a deployment writes."""

from hostloom.decide.deploy.disk_choice import DiskChoice
from hostloom.decide.explain.reason_texts import render_refusal
from hostloom.decide.request.storage import gigabytes
from hostloom.model.commissioning import FoundDisk


def render_disk(disk: FoundDisk) -> str:
    """`sda (SAMSUNG MZ7, serial S3F5, 480 GB)`: the data by which a person recognises the disk."""
    serial = f"serial {disk.serial}" if disk.serial else "no serial"
    facts = filter(None, (disk.model, serial, f"{gigabytes(disk.size_bytes)} GB"))
    return f"{disk.name} ({', '.join(facts)})"


def render_disk_choice(choice: DiskChoice) -> str:
    """Which disk is wiped and why, or why none is, in one line."""
    if choice.disk is None:
        return render_refusal(choice.refusal) if choice.refusal is not None else ""
    reason = "the smallest disk that fits" if choice.fitting > 1 else "the only disk that fits"
    if choice.is_named:
        reason = "named by the request"
    return f"disk {render_disk(choice.disk)} will be wiped: {reason}"
