"""The fault kit: what breaks, for how long, and what brings it back. Only processes of the given stack are touched."""

from __future__ import annotations

import time

from ems_stack.services import edge_service
from ems_stack.stack import Stack


def lose_redis(stack: Stack, seconds: float) -> None:
    """Redis is killed with -9, stays away, and comes back with an empty disk: no data, no users of edges."""
    stack.kill("redis")
    time.sleep(seconds)  # the length of the outage is the experiment
    stack.wipe_redis()
    stack.start("redis")


def kill_historian(stack: Stack, seconds: float) -> None:
    """The historian is killed with -9 and started again."""
    stack.kill("historian")
    time.sleep(seconds)  # the length of the outage is the experiment
    stack.start("historian")


def kill_edge(stack: Stack, site: str, seconds: float) -> None:
    """One edge is killed with -9 and started again with its store as it was."""
    stack.kill(edge_service(site))
    time.sleep(seconds)  # the length of the outage is the experiment
    stack.start(edge_service(site))
