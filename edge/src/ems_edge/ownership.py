"""Whose store this is: one process at a time, one edge's batches."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from ems_edge.command_file import FILE as COMMANDS_FILE


class StoreError(Exception):
    """This edge must not work on this store: another process does, or it holds another edge's batches."""


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Raises StoreError where another process works on it."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"another edge runs on {directory}; stop it, or give this one another store") from None
        yield


def claim(directory: Path, edge: str, batches: int) -> None:
    """From now on it is this edge's. Raises StoreError while another's `batches` are in it."""
    owner = directory / "edge"
    known = owner.read_text(encoding="utf-8").strip() if owner.exists() else edge
    if known != edge and batches:
        raise StoreError(f"{directory} holds batches of {known}; give {edge} another store")
    if known != edge:  # what the other one held and told is not this one's
        for file in directory.glob(f"{COMMANDS_FILE}*"):
            file.unlink()
    if known != edge or not owner.exists():
        owner.write_text(edge + "\n", encoding="utf-8")
