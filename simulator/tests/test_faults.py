"""Which faults are active, by the clock that is given."""

from __future__ import annotations

from ems_simulator.faults import FaultKind, FaultRequest, Faults


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_fault_ends_by_itself_and_a_lasting_one_when_it_is_cleared() -> None:
    clock = Clock()
    faults = Faults(clock)
    faults.add(FaultRequest(FaultKind.STUCK, "hvac", seconds=5))
    lasting = faults.add(FaultRequest(FaultKind.GARBAGE, "battery"))
    clock.now = 4.9
    assert faults.on(FaultKind.STUCK, "hvac")
    assert not faults.on(FaultKind.STUCK, "battery")
    clock.now = 5.0
    assert not faults.on(FaultKind.STUCK, "hvac")
    assert [fault.id for fault in faults.active()] == [lasting]
    assert faults.clear("fault_99") == 0
    assert faults.clear(lasting) == 1
    assert faults.active() == []


def test_a_fault_without_a_device_hits_all_and_the_newest_wins() -> None:
    faults = Faults(Clock())
    faults.add(FaultRequest(FaultKind.SLOW_ANSWER, delay=1))
    faults.add(FaultRequest(FaultKind.SLOW_ANSWER, "hvac", delay=2))
    hvac, meter = faults.on(FaultKind.SLOW_ANSWER, "hvac"), faults.on(FaultKind.SLOW_ANSWER, "grid_meter")
    assert hvac is not None
    assert meter is not None
    assert (hvac.delay, meter.delay) == (2, 1)
    assert faults.clear() == 2


def test_a_device_without_link_does_not_cut_the_site() -> None:
    faults = Faults(Clock())
    faults.add(FaultRequest(FaultKind.LINK_CUT, "hvac"))
    assert not faults.link_is_cut()
    faults.add(FaultRequest(FaultKind.LINK_CUT))
    assert faults.link_is_cut()


def test_a_counter_reset_is_an_event_and_stays_on_no_list() -> None:
    faults = Faults(Clock())
    assert faults.add(FaultRequest(FaultKind.COUNTER_RESET, "hvac")) == "fault_1"
    assert faults.active() == []
