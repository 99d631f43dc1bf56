"""Live telemetry, alerts and commands for Python programs.

    async with LiveClient("wss://ems.example.com/ws", token=token, origin="https://ems.example.com") as live:
        await live.subscribe("site_7")
        async for event in live:
            match event:
                case Snapshot() | Telemetry():
                    for sample in event.samples():
                        print(sample.ts, sample.point, sample.value)
                case Hole(site, edge, start, end):
                    ...  # fetch these from history

`live.py` is the client, `events.py` what it yields.
"""

from ems_client.errors import EndReason, LiveEndedError, TokenUnavailableError
from ems_client.events import (
    Alert,
    Command,
    Control,
    Event,
    Gap,
    Grant,
    Hole,
    LinkState,
    Merged,
    Refused,
    Sample,
    Snapshot,
    StateChange,
    Telemetry,
)
from ems_client.live import LiveClient

__version__ = "0.1.0"

__all__ = [
    "Alert",
    "Command",
    "Control",
    "EndReason",
    "Event",
    "Gap",
    "Grant",
    "Hole",
    "LinkState",
    "LiveClient",
    "LiveEndedError",
    "Merged",
    "Refused",
    "Sample",
    "Snapshot",
    "StateChange",
    "Telemetry",
    "TokenUnavailableError",
]
