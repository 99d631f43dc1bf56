"""What a client of `ems.v1` must keep to. An operator may set other figures where a variable is named."""

from __future__ import annotations

from typing import Final

AUTH_SECONDS: Final = 5
"""From the handshake to the first message, which must be `auth`."""
WELCOME_SECONDS: Final = 35
"""How long `welcome` may take after `auth`: when a thousand come at once the backend is asked about one after the
other. Whoever gives up earlier and comes again only makes it longer."""
HEARTBEAT_SECONDS: Final = 5
"""The longest silence of the service; `welcome` says it too."""
STALL_SECONDS: Final = 10
"""How long a client may take nothing while bytes wait for it."""
MAX_MESSAGE_BYTES: Final = 65_536
"""Of one message of a client."""
MAX_MESSAGES_PER_SECOND: Final = 10
"""Of one session, sustained. EMS_WS_MAX_MESSAGES"""
BURST_SECONDS: Final = 3
"""That many seconds' worth of messages may come at once."""
MAX_NAMES: Final = 256
"""Sites named by one `subscribe` or `unsubscribe`."""
MAX_SITES: Final = 64
"""Sites of one session. EMS_WS_MAX_SITES"""
MAX_SOCKETS_PER_USER: Final = 200
"""EMS_WS_MAX_SOCKETS_PER_USER"""
MAX_SOCKETS_PER_ADDRESS: Final = 2_000
"""EMS_WS_MAX_SOCKETS_PER_ADDRESS"""
