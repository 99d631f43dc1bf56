"""The writes to one device, one after the other: what is due is decided by `setpoints_state.py`, and done here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog
from ems_contract.points import Reason

from ems_edge import setpoints_io
from ems_edge.decode import Value
from ems_edge.driver import WritableDevice
from ems_edge.setpoints import Outcome, Result
from ems_edge.setpoints_io import Done, Ending
from ems_edge.setpoints_limits import Setpoint
from ems_edge.setpoints_state import PointState, Target

log = structlog.get_logger()

PAUSE_GRACE = 3.0
"""How long a write under way may take when the configuration changes or the edge stops, s."""
_RESULTS = {
    Ending.IN_FORCE: Result.IN_FORCE,
    Ending.REFUSED: Result.REFUSED,
    Ending.SILENT: Result.SILENT,
    Ending.DIFFERS: Result.DIFFERS,
}


class Holdings(Protocol):
    """What is on the disk: the points that were claimed and have not got their default back. Raises nothing."""

    def held(self) -> set[str]:
        """Those of an earlier life."""

    async def hold(self, point: str) -> None: ...

    async def let_go(self, point: str) -> None: ...


class Station:
    """`tell` takes each outcome, `changed` is called whenever the device has a new value."""

    def __init__(
        self,
        device: WritableDevice,
        holdings: Holdings,
        tell: Callable[[Outcome], None],
        changed: Callable[[], None],
    ) -> None:
        self._device = device
        self._holdings = holdings
        self._tell = tell
        self._changed = changed
        self._points: dict[str, PointState] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._wake = asyncio.Event()
        self._busy = asyncio.Lock()
        self._stopped = False
        self._task: asyncio.Task[None] | None = None

    def start(self, tasks: asyncio.TaskGroup, name: str) -> None:
        self._task = tasks.create_task(self._run(), name=f"setpoints of {name}")

    async def stop(self) -> None:
        """Finish the write under way; one that takes longer is given up, and nobody knows what the device has."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        quiet = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_GRACE):
                quiet = await self._busy.acquire()
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if quiet:
            self._busy.release()  # whoever waits to read back is told that there is no device any more

    def add(self, setpoint: Setpoint, state: PointState) -> None:
        self._points[setpoint.key] = state

    def look(self, point: str, after: float = 0.0) -> None:
        """Something about the point may have to be done, now or in `after` s."""
        if (timer := self._timers.pop(point, None)) is not None:
            timer.cancel()
        if after > 0:
            self._timers[point] = asyncio.get_running_loop().call_later(after, self.look, point)
            return
        self._points[point].due = True
        self._wake.set()

    async def read_back(self, setpoint: Setpoint) -> Value:
        async with self._busy:
            return Reason.NOT_POLLED if self._stopped else await self._device.read_back(setpoint.name)

    def polled(self, values: Mapping[str, Value]) -> None:
        """What a poll of the device said."""
        for point, state in self._points.items():
            if point in values:
                read = values[point]
                value = None if isinstance(read, Reason) else read
                if state.polled(value, asyncio.get_running_loop().time()):
                    log.warning("a device has not what it should have", point=point, value=value)
                    self.look(point)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while due := [state for state in self._points.values() if state.due]:
                for state in due:  # each in its turn, however fast one of them changes
                    state.due = False
                    async with self._busy:
                        await self._settle(state)

    async def _settle(self, state: PointState) -> None:
        """Do what the point's state asks for. Whatever changes meanwhile makes it due again."""
        target, setpoint = state.target(), state.setpoint
        if target is None or setpoint is None:
            return
        forced, state.forced = state.forced, False
        unsure, state.unsure = state.unsure, False
        if not forced and not unsure and state.has(target):
            self._tell(Outcome(setpoint.key, target.holder, target.value, Result.IN_FORCE, state.known))
            return
        if unsure and not forced and target.value is not None:
            done = await setpoints_io.confirm(self._device, setpoint, target.value)
            if done.ending is Ending.IN_FORCE:
                await self._succeeded(setpoint, state, target, done)
                return
        fresh = not state.held
        if fresh:
            state.held = True
            await self._holdings.hold(setpoint.key)
        written = False
        if self._late(target):
            state.claims.drop(target.holder or "")
            self.look(setpoint.key)
            self._tell(Outcome(setpoint.key, target.holder, target.value, Result.LATE))
        elif state.target() == target:
            done = await self._write(setpoint, state, target)
            if done.ending is Ending.IN_FORCE:
                await self._succeeded(setpoint, state, target, done)
                return
            self._failed(setpoint, state, target, done)
            written = done.ending is not Ending.REFUSED
        if (fresh and not written) or not state.held:
            await self._let_go(setpoint.key, state)  # there is nothing to undo, or no way to

    @staticmethod
    def _late(target: Target) -> bool:
        return target.until is not None and asyncio.get_running_loop().time() > target.until

    async def _write(self, setpoint: Setpoint, state: PointState, target: Target) -> Done:
        def taken() -> None:
            self._tell(Outcome(setpoint.key, target.holder, target.value, Result.WRITTEN))

        # Until it is known how this ends, nothing is known of the point: the task may be cancelled in the middle.
        before, state.known = state.known, None
        state.writing = target.holder
        try:
            done = await setpoints_io.write(self._device, setpoint, target.value, taken)
        except asyncio.CancelledError:
            detail = f"the write of {setpoint.key} was broken off"
            self._tell(Outcome(setpoint.key, target.holder, target.value, Result.SILENT, detail=detail))
            raise
        finally:
            state.writing = None
        if done.ending is Ending.REFUSED:
            state.known = before
        return done

    async def _succeeded(self, setpoint: Setpoint, state: PointState, target: Target, done: Done) -> None:
        state.in_force(target)
        self._changed()
        if target.holder is None and not state.claims:
            await self._let_go(setpoint.key, state)
        self._told(setpoint, state, target, Result.IN_FORCE, done)

    def _failed(self, setpoint: Setpoint, state: PointState, target: Target, done: Done) -> None:
        result = _RESULTS[done.ending]
        if target.value is None and done.ending is Ending.REFUSED:
            result, state.held = Result.LEFT, bool(state.claims)
        else:
            log.warning("a setpoint is not in force", point=setpoint.key, result=result.value, problem=done.detail)
            self.look(setpoint.key, state.retry())
        self._told(setpoint, state, target, result, done)

    def _told(self, setpoint: Setpoint, state: PointState, target: Target, result: Result, done: Done) -> None:
        self._tell(Outcome(setpoint.key, target.holder, target.value, result, done.read_back, done.detail))
        if target.holder is not None and (overruled := state.overruled(target.holder)) is not None:
            self._tell(overruled)  # someone stronger came during the write

    async def _let_go(self, point: str, state: PointState) -> None:
        state.held = False
        await self._holdings.let_go(point)
