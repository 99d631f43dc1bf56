"""What the edge tells the backend besides samples: steps of commands, what rules did, configurations it took."""

from __future__ import annotations

from typing import Protocol

from ems_contract.edge_events import EdgeEvent


class Teller(Protocol):
    def tell(self, event: EdgeEvent) -> None:
        """Never blocks. Kept on the disk, and told at least once, in order, over restarts and losses of Redis."""
