"""Where an MQTT device says what it measures, and how it is told something. Pure: no I/O, no clock.

Topics and command payloads are templates: `{base}/status/em:0`, filled from a device's connection. A path leads into a
JSON payload: `ENERGY.Power[0]`, and `["a.b"].c` where a name holds a dot or a bracket.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ems_edge.decode import Scaling
from ems_edge.driver import DeviceSpec, PointSource

_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_STEP = re.compile(r'(?:^|\.)(?P<name>[^.\[\]"]+)|\[(?P<index>\d{1,4})\]|\["(?P<quoted>[^"]+)"\]')
VALUE = "value"
"""The variable of a command's payload that stands for what is written."""

Path = tuple[str | int, ...]
"""Names and 0-based positions, from the outside in."""


def parse_path(text: str) -> Path:
    """Raises ValueError for what is no path."""
    steps: list[str | int] = []
    at = 0
    while at < len(text) and (found := _STEP.match(text, at)) and not (at == 0 and text.startswith(".")):
        steps.append(int(found["index"]) if found["index"] else found["name"] or found["quoted"])
        at = found.end()
    if at < len(text) or not steps:
        raise ValueError(f"{text!r} is no path")
    return tuple(steps)


def variables(template: str) -> set[str]:
    """The names in braces."""
    return set(_VARIABLE.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Raises KeyError for a variable without a value."""
    return _VARIABLE.sub(lambda found: values[found[1]], template)


@dataclass(frozen=True, slots=True)
class Command:
    """How a point is written: `payload` with `{value}` in it, sent to `topic`, QoS 1 and never retained.

    `texts` says what is sent for a device's number; without any, it is the number with at most `decimals` decimals.
    """

    topic: str
    payload: str = "{value}"
    texts: Mapping[int, str] = field(default_factory=dict)
    decimals: int = 6

    def text(self, raw: float) -> str:
        """What stands for the device's number `raw`. Raises ValueError where nothing does."""
        if self.texts:
            if raw not in self.texts:
                raise ValueError(f"{raw:g} is none of {', '.join(map(str, self.texts))}")
            return self.texts[int(raw)]
        if not math.isfinite(raw):
            raise ValueError(f"{raw} is not a number")
        text = f"{round(raw, self.decimals) + 0.0:.{self.decimals}f}"  # -0.0 + 0.0 is 0.0
        return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class TopicSource(PointSource):
    """`path` of None: the whole payload is the value. `values` are texts that stand for a number: {ON: 1}.

    After `timeout` s without a message the value is too old; 0 is for what is only said when it changes, None leaves it
    to the device. `time` is the path to the payload's own time, which dates a retained message.
    """

    topic: str
    scaling: Scaling
    path: Path | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    timeout: float | None = None
    time: Path | None = None
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """The topic on which the device, or the broker in its name (its last will), says whether it is there."""

    topic: str
    online: str
    offline: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What makes a device say everything: sent at each connection, when it comes online, and again `every` s."""

    topic: str
    payload: str = ""
    every: float | None = None


@dataclass(frozen=True, slots=True)
class MqttSpec(DeviceSpec):
    """Besides what every device has. `timeout` is for points that have none of their own."""

    availability: Availability | None = None
    asks: tuple[Ask, ...] = ()
    timeout: float = 60.0
    retained: bool = True

    def __repr__(self) -> str:
        return f"MqttSpec({self.key!r}, {len(self.points)} points)"
