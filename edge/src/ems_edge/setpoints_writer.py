"""The single writer of one edge: the claims at all its points, and a station for each device that can be written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from ems_edge.decode import Value
from ems_edge.driver import Device, WritableDevice
from ems_edge.setpoints import Listener, Outcome, Result
from ems_edge.setpoints_claims import Claim
from ems_edge.setpoints_limits import Setpoint
from ems_edge.setpoints_state import PointState
from ems_edge.setpoints_station import Holdings, Station


class SetpointWriter:
    """Call order: `start` once; `use` with each configuration, `pause` before the next one and last.

    `changed` is called with the device's key when one of its values is new.
    """

    def __init__(self, holdings: Holdings, changed: Callable[[str], None]) -> None:
        self._holdings = holdings
        self._changed = changed
        self._listeners: list[Listener] = []
        self._states = {point: PointState(None, held=True) for point in holdings.held()}
        self._stations: dict[str, Station] = {}
        self._begun = False
        self._tasks: asyncio.TaskGroup

    # What rules and commands call ---------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def holder(self, point: str) -> str | None:
        state = self._states.get(point)
        return state.winner() if state else None

    def strongest(self, point: str) -> Claim | None:
        state = self._states.get(point)
        return state.claims.strongest() if state else None

    def setpoint(self, point: str) -> Setpoint | None:
        """A point of the configuration in use that can be written."""
        state = self._states.get(point)
        return state.setpoint if state else None

    def claim(self, point: str, holder: str, priority: int, value: float, *, until: float | None = None) -> None:
        """`until` (loop time, s): a write that could not begin before is not made at all."""
        state = self._states.get(point)
        if state is None or state.setpoint is None:
            self._tell(Outcome(point, holder, value, Result.REFUSED, detail=f"{point} cannot be written"))
            return
        if (problem := state.setpoint.problem(value)) is not None:
            self._tell(Outcome(point, holder, value, Result.OUT_OF_LIMITS, detail=problem[1]))
            return
        before, known = state.winner(), state.claims.of(holder)
        if not state.claims.put(Claim(holder, priority, value, until)):
            return
        winner = state.winner()
        if before is not None and before != state.writing and (overruled := state.overruled(before)) is not None:
            self._tell(overruled)
        if winner == holder:
            state.forced = True
            self._look(state)
        elif known is None and (overruled := state.overruled(holder)) is not None:
            self._tell(overruled)

    def resume(self, point: str, holder: str, priority: int, value: float) -> None:
        """A claim that was in force in an earlier life: read back, and written only where the device lost it."""
        state = self._states.setdefault(point, PointState(None))
        state.held = state.unsure = True
        if state.setpoint is not None and (problem := state.setpoint.problem(value)) is not None:
            self._tell(Outcome(point, holder, value, Result.OUT_OF_LIMITS, detail=problem[1]))
            return
        state.claims.put(Claim(holder, priority, value))
        self._look(state)

    def release(self, point: str, holder: str) -> None:
        state = self._states.get(point)
        if state is None:
            return
        held_it = state.winner() == holder
        if state.claims.drop(holder) is not None and held_it:
            state.forced = False
            self._look(state)

    def restore(self, point: str) -> None:
        """Where nobody claims the point: its default, now, even if it was in force before. What is in force is told."""
        state = self._states.get(point)
        if state is None or state.setpoint is None:
            detail = f"{point} is not configured any more; nothing was written"
            self._tell(Outcome(point, None, None, Result.LEFT, detail=detail))
            return
        state.held = True
        state.forced = state.forced or not (state.claims or state.unsure)
        self._look(state)

    async def read_back(self, point: str) -> Value | None:
        """What the device says; None where there is no device to ask."""
        setpoint = self.setpoint(point)
        station = self._stations.get(setpoint.device) if setpoint is not None else None
        return None if setpoint is None or station is None else await station.read_back(setpoint)

    # What the line calls ------------------------------------------------------------------------------------------

    def start(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks

    def use(self, setpoints: Iterable[Setpoint], devices: Mapping[str, Device], grace: float) -> None:
        """From now on these; `grace` (s) is how long rules have to claim what an earlier life left behind. What was
        claimed or let go since the `pause` is carried out now."""
        wait, self._begun = 0.0 if self._begun else grace, True
        for state in self._states.values():
            state.setpoint = None
        self._stations = {
            key: Station(device, self._holdings, self._tell, lambda key=key: self._changed(key))  # type: ignore[misc]
            for key, device in devices.items()
            if isinstance(device, WritableDevice)
        }
        for setpoint in setpoints:
            if (station := self._stations.get(setpoint.device)) is None:
                continue
            state = self._states.setdefault(setpoint.key, PointState(setpoint))
            state.setpoint, state.known, state.unsure = setpoint, None, True
            station.add(setpoint, state)
            self._drop_impossible(setpoint, state)
            if state.claims or state.held:
                station.look(setpoint.key, 0.0 if state.claims else wait)
        for key, station in self._stations.items():
            station.start(self._tasks, key)

    async def pause(self) -> None:
        """No more writes until the next `use`."""
        stations, self._stations = self._stations, {}
        await asyncio.gather(*(station.stop() for station in stations.values()))

    def polled(self, device: str, values: Mapping[str, Value]) -> None:
        """What a read of a device said, by whole keys."""
        if (station := self._stations.get(device)) is not None:
            station.polled(values)

    def _drop_impossible(self, setpoint: Setpoint, state: PointState) -> None:
        """Claims that were within the limits, before those were changed."""
        for claim in state.claims.all():
            if (problem := setpoint.problem(claim.value)) is not None:
                state.claims.drop(claim.holder)
                self._tell(Outcome(setpoint.key, claim.holder, claim.value, Result.OUT_OF_LIMITS, detail=problem[1]))

    def _look(self, state: PointState) -> None:
        if state.setpoint is not None and (station := self._stations.get(state.setpoint.device)) is not None:
            station.look(state.setpoint.key)

    def _tell(self, outcome: Outcome) -> None:
        for listener in self._listeners:
            asyncio.get_running_loop().call_soon(listener, outcome)
