"""The stack that experiments share: four sites, polled each second, in a temporary place, started when needed."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import Self

from ems_stack.options import StackOptions
from ems_stack.progress import Progress
from ems_stack.stack import Stack

from ems_prove.simulator import Simulator

LIMITS = {"EMS_WS_MAX_SOCKETS_PER_USER": "1000", "EMS_WS_MAX_SOCKETS_PER_ADDRESS": "5000"}
"""All sockets of all people come from this one machine."""


class Lab:
    """Closes what it opened. `progress` shows the steps of starting and stopping."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._opened = ExitStack()

    @cached_property
    def stack(self) -> Stack:
        return self._opened.enter_context(Stack(StackOptions(poll_interval=1.0, environment=LIMITS), self._progress))

    @cached_property
    def simulator(self) -> Simulator:
        return self._opened.enter_context(Simulator(self.stack))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()
