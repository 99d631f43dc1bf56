"""Who follows."""

from __future__ import annotations

from realtime_support.batches import token

ALICE = token(1)
"""May view the sites 7 and 8."""
