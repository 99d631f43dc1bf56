"""What the MQTT devices of a site say, in their makers' words: a Shelly Pro 3EM on the load, a Tasmota plug.

The Shelly measures what the site's load meter measures. The plug feeds a heater of its own, on a circuit that no other
meter of the site sees: its power is U² / R at the mains' own voltage, and its counter is the sum of that to the joule.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import msgspec

from ems_simulator.image import Pin
from ems_simulator.live import LiveSite

EMDATA_SECONDS = 60
TELE_SECONDS = 10
HEATER_OHM = 26.5
"""2 kW at 230 V."""


class Message(NamedTuple):
    topic: str
    payload: str
    retain: bool = False


class Gadget(Protocol):
    """One MQTT device. `key` names it in faults and ledger; `base` is its place in topics."""

    key: str
    base: str
    profile: str
    will: Message
    commands: tuple[str, ...]

    def greeting(self) -> list[Message]:
        """What it says when it has just connected."""

    def tick(self, last: int, second: int) -> list[Message]:
        """What it says now, in this second of simulated time; it was asked before in `last`."""

    def told(self, topic: str, payload: str) -> list[Message]:
        """What it answers to a command."""

    def reset_counters(self) -> None:
        """Its energy begins again at 0."""


class Metering(Protocol):
    """A meter of the site, as its own clients see it."""

    pins: dict[str, Pin]

    def value(self, name: str) -> float: ...


class ShellyMeter:
    """`em:0` each second, `emdata:0` each minute, both when it is asked for a status update."""

    key = "shelly_meter"
    profile = "shelly_pro_3em"

    def __init__(self, site: str, meter: Metering) -> None:
        self.base = f"shellypro3em-{site}"
        self.will = Message(f"{self.base}/online", "false", retain=True)
        self.commands: tuple[str, ...] = (f"{self.base}/command",)
        self._meter = meter
        self._offsets = {"energy_import": 0.0, "energy_export": 0.0}

    def greeting(self) -> list[Message]:
        return [Message(f"{self.base}/online", "true", retain=True), self._em(), self._emdata()]

    def tick(self, last: int, second: int) -> list[Message]:
        return [self._em(), self._emdata()] if _passed(last, second, EMDATA_SECONDS) else [self._em()]

    def told(self, topic: str, payload: str) -> list[Message]:  # noqa: ARG002
        return [self._em(), self._emdata()] if payload == "status_update" else []

    def reset_counters(self) -> None:
        self._offsets = {name: self._meter.value(name) for name in self._offsets}

    def _em(self) -> Message:
        pin = self._meter.pins.get("active_power")
        total = self._meter.value("active_power") if pin is None else pin.value
        status: dict[str, Any] = {"id": 0}
        volts = [self._meter.value(f"voltage_l{phase}") for phase in (1, 2, 3)]
        amperes = [self._meter.value(f"current_l{phase}") for phase in (1, 2, 3)]
        apparent = [volt * ampere for volt, ampere in zip(volts, amperes, strict=True)]
        watts = _split(total, apparent)
        for phase, name in enumerate("abc"):
            watt = watts[phase]
            status[f"{name}_current"] = round(amperes[phase], 3)
            status[f"{name}_voltage"] = round(volts[phase], 1)
            status[f"{name}_act_power"] = watt
            status[f"{name}_aprt_power"] = round(apparent[phase], 1)
            status[f"{name}_pf"] = None if watt is None else round(abs(watt) / max(apparent[phase], 1.0), 2)
            status[f"{name}_freq"] = round(self._meter.value("frequency"), 1)
        status["n_current"] = None
        status["total_current"] = round(sum(amperes), 3)
        status["total_act_power"] = total
        status["total_aprt_power"] = round(sum(apparent), 1)
        return Message(f"{self.base}/status/em:0", _json(status))

    def _emdata(self) -> Message:
        imported, exported = (self._meter.value(name) - offset for name, offset in self._offsets.items())
        return Message(
            f"{self.base}/status/emdata:0", _json({"id": 0, "total_act": imported, "total_act_ret": exported})
        )


class TasmotaPlug:
    """Telemetry every ten seconds and when asked; the relay is on at the start. `now_ms` is simulated time."""

    key = "tasmota_plug"
    profile = "tasmota_energy"

    def __init__(self, live: LiveSite, now_ms: Callable[[], int]) -> None:
        self.base = f"tasmota_{live.site.key}"
        self.will = Message(f"tele/{self.base}/LWT", "Offline", retain=True)
        self.commands: tuple[str, ...] = (f"cmnd/{self.base}/POWER", f"cmnd/{self.base}/TelePeriod")
        self.on = True
        self._live = live
        self._now_ms = now_ms
        self._zone = zoneinfo.ZoneInfo(live.site.timezone)
        self._joules = 0.0
        self._counted = now_ms()
        self._power = self._draws()

    def greeting(self) -> list[Message]:
        return [Message(f"tele/{self.base}/LWT", "Online", retain=True), *self._state(), self._sensor()]

    def tick(self, last: int, second: int) -> list[Message]:
        self._count()
        return [self._sensor()] if _passed(last, second, TELE_SECONDS) else []

    def told(self, topic: str, payload: str) -> list[Message]:
        if topic.endswith("/TelePeriod"):
            return [self._sensor()]
        words = {"ON": True, "1": True, "TRUE": True, "OFF": False, "0": False, "FALSE": False}
        wanted = {**words, "TOGGLE": not self.on, "2": not self.on}.get(payload.upper())
        if wanted is not None:
            self._count()
            self.on = wanted
            self._power = self._draws()
        return self._state()

    def reset_counters(self) -> None:
        self._joules = 0.0

    def _draws(self) -> float:
        return self._volts() ** 2 / HEATER_OHM if self.on else 0.0

    def _volts(self) -> float:
        return self._live.value("grid_meter.voltage_l1")

    def _count(self) -> None:
        """What it took since the last time, at the mean of its power then and now."""
        now, power = self._now_ms(), self._draws()
        self._joules += (self._power + power) / 2 * (now - self._counted) / 1000
        self._counted, self._power = now, power

    def _state(self) -> list[Message]:
        word = "ON" if self.on else "OFF"
        return [
            Message(f"stat/{self.base}/RESULT", _json({"POWER": word})),
            Message(f"stat/{self.base}/POWER", word),
        ]

    def _sensor(self) -> Message:
        self._count()
        local = dt.datetime.fromtimestamp(self._now_ms() / 1000, self._zone)
        energy = {
            "Total": round(self._joules / 3_600_000, 6),
            "Power": round(self._power, 1),
            "ApparentPower": round(self._power, 1),
            "ReactivePower": 0,
            "Factor": 1.0 if self.on else 0.0,
            "Voltage": round(self._volts(), 1),
            "Current": round(self._power / self._volts(), 3),
        }
        return Message(f"tele/{self.base}/SENSOR", _json({"Time": f"{local:%Y-%m-%dT%H:%M:%S}", "ENERGY": energy}))


def _passed(last: int, second: int, every: int) -> bool:
    return second // every > last // every


def _split(total: float | None, shares: list[float]) -> list[float | None]:
    """In tenths of a watt that add up to the whole; of no value, none."""
    if total is None:
        return [None] * len(shares)
    parts = [round(total * share / max(sum(shares), 1e-9), 1) for share in shares[:-1]]
    return [*parts, round(total - sum(parts), 1)]


def _json(content: object) -> str:
    return msgspec.json.encode(content).decode()
