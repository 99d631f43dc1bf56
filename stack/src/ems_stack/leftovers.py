"""Temporary places of throw-away stacks, and the sweeping up after those that were killed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec
import psutil

from ems_stack.processes import ProcessIdentity
from ems_stack.state import State
from ems_stack.supervisor import end_leftovers

_OWNER = "owner.json"


def temporary_place(prefix: str) -> Path:
    """A new directory that others may enter (PostgreSQL may run as another account). Sweeps up old ones first."""
    sweep(prefix)
    place = Path(tempfile.mkdtemp(prefix=prefix))
    place.chmod(0o755)
    (place / _OWNER).write_bytes(msgspec.json.encode(ProcessIdentity.of(os.getpid())))
    return place


def sweep(prefix: str) -> list[Path]:
    """End the services and remove the directories whose owner is gone; returns those directories."""
    swept = []
    for place in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError, msgspec.DecodeError, psutil.AccessDenied):
            owner = msgspec.json.decode((place / _OWNER).read_bytes(), type=ProcessIdentity)
            if owner.find() is None:
                end_leftovers(place / "run" / "processes.json")
                State(place).remove()
                swept.append(place)
    return swept
