"""The health of each device, from what it answered last."""

from __future__ import annotations

from ems_contract.edge_events import DeviceHealth
from ems_contract.points import Reason
from ems_edge.decode import Value
from ems_edge.device_health import Devices
from ems_edge.poller import Answer

NOON = 1_790_000_000_000


def seen(*answers: dict[str, Value]) -> DeviceHealth:
    """A meter of three points that answered this, a second apart."""
    devices = Devices()
    devices.expect({"meter": ["meter.power", "meter.voltage", "meter.energy"]}, NOON)
    for number, values in enumerate(answers, 1):
        keyed = {f"meter.{name}": value for name, value in values.items()}
        devices.see([Answer("meter", NOON + number * 1000, keyed), Answer("stranger", NOON, {"stranger.x": 1.0})])
    (health,) = devices.health()
    return health


GOOD: dict[str, Value] = {"power": 1.0, "voltage": 230.0, "energy": 5.0}
SILENT: dict[str, Value] = dict.fromkeys(GOOD, Reason.TIMEOUT)


def test_a_device_that_was_not_read_yet_says_so() -> None:
    assert seen() == DeviceHealth("meter", 3, 0, None, "not_polled", NOON)


def test_a_device_with_good_values_only_has_no_reason() -> None:
    assert seen(SILENT, GOOD) == DeviceHealth("meter", 3, 3, NOON + 2000)


def test_a_silent_device_says_when_it_answered_last_and_since_when_it_does_not() -> None:
    assert seen(GOOD, SILENT, SILENT) == DeviceHealth("meter", 3, 0, NOON + 1000, "timeout", NOON + 2000)


def test_the_most_frequent_reason_is_told_and_since_when_the_first_began() -> None:
    mixed: dict[str, Value] = {"power": 1.0, "voltage": Reason.NO_VALUE, "energy": 1.0}
    worse: dict[str, Value] = {"power": Reason.GARBLED, "voltage": Reason.NO_VALUE, "energy": Reason.GARBLED}
    assert seen(mixed, worse) == DeviceHealth("meter", 3, 0, NOON + 1000, "garbled", NOON + 1000)


def test_a_reason_that_changes_does_not_begin_anew() -> None:
    lost: dict[str, Value] = dict.fromkeys(GOOD, Reason.CONNECTION_LOST)
    assert seen(GOOD, SILENT, lost).since == NOON + 2000
    assert seen(SILENT).since == NOON + 1000


def test_a_device_that_pushes_is_known_by_all_that_it_said() -> None:
    health = seen({"power": 1.0}, {"voltage": 230.0})
    assert (health.good, health.reason) == (2, "not_polled")


def test_another_configuration_forgets_the_devices_of_the_old_one() -> None:
    devices = Devices()
    devices.expect({"old": ["old.power"]}, NOON)
    devices.expect({"new": ["new.power"]}, NOON + 1)
    devices.see([Answer("old", NOON + 2, {"old.power": 1.0})])
    assert devices.health() == [DeviceHealth("new", 1, 0, None, "not_polled", NOON + 1)]
