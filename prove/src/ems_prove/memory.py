"""What a process holds, as Linux tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Memory:
    """MB. `resident` counts what is shared with other processes, `own` does not, `share` divides it among them."""

    resident: float
    share: float
    own: float

    @classmethod
    def of(cls, pid: int) -> Memory:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
        kb = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
        return cls(kb["Rss"] / 1024, kb["Pss"] / 1024, (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024)


def resident(pid: int) -> float:
    """MB; cheap enough to be asked many times a second."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
