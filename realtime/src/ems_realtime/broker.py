"""Between the hub and the world where batches, alerts, commands and changes of access are published.

Beside it: `broker_redis.py` and `broker_memory.py`, which share one test suite.

Delivery:
- At most once, in the order of publishing for each channel, only while `live`. Nothing is repeated.
- Alerts and commands of every site and events of every user are always heard, telemetry of a site between `watch`
  and `unwatch`.
- Once `watch` has returned, everything published afterwards is delivered or followed by `on_resubscribed`.
- After an interruption everything wanted is subscribed again, then `on_resubscribed` comes once: whatever was
  published since the moment it names may be missing.
- An edge writes its latest image before it publishes the batch. Hence: watch, read `latest`, then apply what was heard
  since; nothing is missed.

The listener is called in the event loop's thread and must neither block nor raise; if it raises all the same, that is
logged and treated like an interruption.
"""

from __future__ import annotations

from typing import Literal, Protocol

UserEvent = Literal["permission_changed", "events"]


class BrokerUnavailableError(ConnectionError):
    """The broker cannot be asked right now. Try again later."""


MAX_EDGES = 256
MAX_IMAGES_BYTES = 16 * 1024 * 1024
"""Of one site: an edge may write whatever it likes into its site's images, and every viewer would have it read."""


class ImagesRefusedError(ValueError):
    """More than the edges of one site would write."""

    def __init__(self, edges: int, size: int) -> None:
        most = f"at most {MAX_EDGES} edges and {MAX_IMAGES_BYTES} bytes are read"
        super().__init__(f"{edges} images of {size} bytes; {most}")


class Listener(Protocol):
    """Payloads are unchecked bytes; site and user come from the channel's name."""

    def on_telemetry(self, site: int, payload: bytes) -> None: ...

    def on_alert(self, site: int, payload: bytes) -> None: ...

    def on_command(self, site: int, payload: bytes) -> None:
        """A step of a command, or what a rule did."""

    def on_user_event(self, user: int, kind: UserEvent, payload: bytes) -> None: ...

    def on_live_changed(self, live: bool) -> None:
        """The subscription went deaf (False) or hears again (True, always before `on_resubscribed`)."""

    def on_resubscribed(self, since: int) -> None:
        """Every watched site is subscribed again; what was published after `since` (ms) may be missing."""


class Broker(Protocol):
    @property
    def live(self) -> bool:
        """The subscription answered within its deadline."""

    @property
    def lag(self) -> float:
        """Seconds that a question put on the subscription itself last took: behind all that it carries."""

    async def start(self, listener: Listener) -> None:
        """Begin to listen, in the background; returns at once. Call once."""

    async def stop(self) -> None: ...

    async def watch(self, site: int) -> None:
        """Returns when the subscription is confirmed, however long that takes. May be cancelled; then `unwatch`."""

    def unwatch(self, site: int) -> None:
        """Takes effect soon; what is heard until then may still be delivered."""

    async def latest(self, site: int) -> dict[str, bytes]:
        """Edge name -> its whole current image, unchecked. Raises BrokerUnavailableError or ImagesRefusedError."""
