"""How each device is doing, from what it answered last. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ems_contract.edge_events import DeviceHealth
from ems_contract.points import Reason

from ems_edge.poller import Answer


@dataclass(slots=True)
class _Device:
    """`missing`: point key -> why it has no good value, and since when, ms."""

    points: int
    missing: dict[str, tuple[Reason, int]]
    answered: int | None = None
    heard: bool = False


@dataclass(slots=True)
class Devices:
    """Expects points of devices, sees answers, tells the health of each. Times in ms."""

    _known: dict[str, _Device] = field(default_factory=dict)

    def expect(self, points: Mapping[str, Iterable[str]], now: int) -> None:
        """Device -> the keys of its points. From now on these devices, and no others."""
        self._known = {
            device: _Device(len(keys := tuple(its)), dict.fromkeys(keys, (Reason.NOT_POLLED, now)))
            for device, its in points.items()
        }

    def see(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            device = self._known.get(answer.device)
            if device is None:
                continue
            device.heard = True
            for key, value in answer.values.items():
                if not isinstance(value, Reason):
                    device.missing.pop(key, None)
                    device.answered = answer.wanted
                elif (before := device.missing.get(key)) is None or before[0] is Reason.NOT_POLLED:
                    device.missing[key] = (value, answer.wanted)
                elif before[0] is not value:
                    device.missing[key] = (value, before[1])

    @property
    def all_heard(self) -> bool:
        """Each has answered once, if only with a reason."""
        return all(device.heard for device in self._known.values())

    def health(self) -> list[DeviceHealth]:
        return [_health(key, device) for key, device in self._known.items()]


def _health(key: str, device: _Device) -> DeviceHealth:
    good = device.points - len(device.missing)
    if not device.missing:
        return DeviceHealth(key, device.points, good, device.answered)
    most_frequent, _ = Counter(reason for reason, _ in device.missing.values()).most_common(1)[0]
    since = min(since for _, since in device.missing.values())
    return DeviceHealth(key, device.points, good, device.answered, most_frequent.value, since)
