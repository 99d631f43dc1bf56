"""Write the AsyncAPI 3.0 document of the live service: `python -m ems_contract.asyncapi FIXTURES FILE`.

It says what the service does, so its `receive` is what clients send. Messages, schemas, codes and limits come from the
types; the examples are the golden messages; only the sentences that join them are written here. Needs PyYAML, which
services do not.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec

from ems_contract import limits
from ems_contract.frames import CLOSE_CODES, ERROR_CODES, INTERVALS, SUBPROTOCOL, ClientFrame, ServerFrame

Json = dict[str, Any]

INTRODUCTION = f"""\
Live values, alerts and commands of the sites that a user may view. One WebSocket for each page or program.

1. Connect to `/ws` with the subprotocol `{SUBPROTOCOL}`, no query string, and an `Origin` that the operator allows.
2. Send `auth` within {limits.AUTH_SECONDS} s. `welcome` names the sites. Send `auth` again, with a fresh token of the
   same user, before `expires`.
3. Send `subscribe`. For each site comes a `snapshot`, then every batch as `telemetry`, or `merged` if an interval was
   asked for. Ignore a batch whose `seq` (or `seq_to`) is at or below what the snapshot has for the same edge and boot.
4. After a `gap` treat what came since `since` as unknown, fetch it from history, and go on with the snapshot that
   follows.
5. If nothing at all comes for two heartbeats and 5 s, the connection is dead: reconnect with jitter.

Every frame is one JSON object in one text message. Readers ignore fields that they do not know, and frames of a type
that they do not know: a newer service may send more. Times are milliseconds since the epoch, UTC."""

ORIGIN = "One that the operator allows (EMS_WS_ORIGINS). A browser sends its page's; a program sends one of them."

OPERATIONS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "authenticate": (
        "Prove who is there: first of all, and again before the session expires.",
        ("auth",),
        ("welcome", "grant"),
    ),
    "subscribe": ("Begin to watch sites, or change the interval.", ("subscribe",), ("snapshot", "error")),
    "unsubscribe": ("Watch sites no longer.", ("unsubscribe",), ()),
    "ping": ("Ask whether the service is there.", ("ping",), ("pong",)),
    "stream": (
        "Live values of a watched site: a snapshot first, and again after each gap.",
        ("snapshot", "telemetry", "merged", "gap"),
        (),
    ),
    "tell": ("What happens at a watched site besides.", ("alert", "command", "control"), ()),
    "renew": ("What the session may see was confirmed, narrowed or widened.", ("grant",), ()),
    "heartbeat": ("The service is there although nothing happens.", ("heartbeat",), ()),
}
"""Name -> (what for, messages, messages of the reply)."""

LIMITS: dict[str, tuple[int, str, str]] = {
    "auth": (limits.AUTH_SECONDS, "s", "from the handshake to the first message"),
    "welcome": (limits.WELCOME_SECONDS, "s", "from `auth` to `welcome`, while many come at once; usually milliseconds"),
    "heartbeat": (limits.HEARTBEAT_SECONDS, "s", "of silence of the service"),
    "stall": (limits.STALL_SECONDS, "s", "without reading while something waits for the client"),
    "message": (limits.MAX_MESSAGE_BYTES, "bytes", "in one message of a client"),
    "rate": (limits.MAX_MESSAGES_PER_SECOND, "messages per second", "of one client, sustained"),
    "burst": (limits.BURST_SECONDS * limits.MAX_MESSAGES_PER_SECOND, "messages", "of one client at once"),
    "names": (limits.MAX_NAMES, "sites", "in one `subscribe` or `unsubscribe`"),
    "sites": (limits.MAX_SITES, "sites", "watched by one session"),
    "socketsPerUser": (limits.MAX_SOCKETS_PER_USER, "connections", "of one user"),
    "socketsPerAddress": (limits.MAX_SOCKETS_PER_ADDRESS, "connections", "from one address"),
}
"""Name -> (at most, of what, where)."""


def document(examples: dict[str, dict[str, Json]]) -> Json:
    """`examples`: type of a frame -> name and value of its golden messages."""
    sent_by_client = {_tag(frame): frame for frame in get_args(ClientFrame)}
    sent_by_service = {_tag(frame): frame for frame in get_args(ServerFrame)}
    messages = {**sent_by_client, **sent_by_service}
    _, schemas = msgspec.json.schema_components(messages.values(), ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "SimTestLab EMS, live service",
            "version": SUBPROTOCOL.removeprefix("ems.v"),
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "development": {"host": "localhost:8001", "protocol": "ws", "description": "What `make up` starts."},
            "production": {"host": "ems.example.com", "protocol": "wss", "description": "Behind an ingress with TLS."},
        },
        "channels": {"live": _channel(list(messages))},
        "operations": {
            name: _operation(name, "receive" if names[0] in sent_by_client else "send")
            for name, (_, names, _) in OPERATIONS.items()
        },
        "components": {
            "messages": {tag: _message(tag, frame, examples[tag]) for tag, frame in messages.items()},
            "schemas": {name: _prose(schema) for name, schema in schemas.items()},
        },
        "x-close-codes": [
            {"code": int(code), "name": code.name, "meaning": meaning, "client": client}
            for code, (meaning, client) in CLOSE_CODES.items()
        ],
        "x-error-codes": [
            {"code": int(code), "name": code.name, "meaning": meaning} for code, meaning in ERROR_CODES.items()
        ],
        "x-limits": {name: {"most": most, "unit": unit} for name, (most, unit, _) in LIMITS.items()},
        "x-intervals": list(INTERVALS),
    }


def _tag(frame: type[msgspec.Struct]) -> str:
    return str(frame.__struct_config__.tag)


def _channel(tags: list[str]) -> Json:
    origin = {"type": "string", "description": ORIGIN}
    headers = {"Origin": origin, "Sec-WebSocket-Protocol": {"type": "string", "const": SUBPROTOCOL}}
    return {
        "address": "/ws",
        "title": "The live connection",
        "description": _tables(),
        "messages": {tag: {"$ref": f"#/components/messages/{tag}"} for tag in tags},
        "bindings": {
            "ws": {
                "method": "GET",
                "headers": {"type": "object", "required": list(headers), "properties": headers},
                "query": {"type": "object", "properties": {}, "additionalProperties": False},
                "bindingVersion": "0.1.0",
            }
        },
    }


def _tables() -> str:
    """The same as the `x-...` entries, for whoever reads."""
    closes = [
        f"| {int(code)} | `{code.name}` | {meaning} | {client} |" for code, (meaning, client) in CLOSE_CODES.items()
    ]
    errors = [f"| {int(code)} | `{code.name}` | {meaning} |" for code, meaning in ERROR_CODES.items()]
    bounds = [f"| {most:,} {unit} | {where} |" for most, unit, where in LIMITS.values()]
    return "\n".join(
        [
            "A handshake is refused with 403 for its `Origin` and with 400 for a query string or another subprotocol.",
            "",
            *("| close code | name | what has happened | what a client does |", "|---|---|---|---|", *closes, ""),
            "Any other close code is a lost connection: reconnect. No frame follows the decision to close.",
            "",
            *("| error code | name | what is refused; the session goes on |", "|---|---|---|", *errors, ""),
            *("| at most, if the operator has set nothing else | |", "|---|---|", *bounds, ""),
            f"Intervals are rounded up to one of {', '.join(f'{interval:,}' for interval in INTERVALS)} ms.",
        ]
    )


def _operation(name: str, action: str) -> Json:
    summary, tags, replies = OPERATIONS[name]
    made: Json = {
        "action": action,
        "channel": {"$ref": "#/channels/live"},
        "summary": summary,
        "messages": _of_channel(tags),
    }
    if replies:
        made["reply"] = {"channel": {"$ref": "#/channels/live"}, "messages": _of_channel(replies)}
    return made


def _of_channel(tags: tuple[str, ...]) -> list[Json]:
    return [{"$ref": f"#/channels/live/messages/{tag}"} for tag in tags]


def _message(tag: str, frame: type[msgspec.Struct], examples: dict[str, Json]) -> Json:
    return {
        "name": tag,
        "title": frame.__name__,
        "description": _flowing(frame.__doc__ or ""),
        "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
        "examples": [{"name": name, "payload": example} for name, example in examples.items()],
    }


def _prose(schema: Json) -> Json:
    return {**schema, "description": _flowing(schema["description"])} if "description" in schema else schema


def _flowing(docstring: str) -> str:
    """Paragraphs without the line breaks that they have in the source."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(docstring).split("\n\n"))


def golden_frames(folder: Path) -> dict[str, dict[str, Json]]:
    """What `document` wants; messages that play a newer producer are left out."""
    found: dict[str, dict[str, Json]] = {}
    for file in sorted(folder.glob("*.json")):
        golden = json.loads(file.read_text(encoding="utf-8"))
        if golden["message"] in ("client_frame", "server_frame") and not file.stem.startswith("unknown_"):
            found.setdefault(golden["value"]["type"], {})[file.stem] = golden["value"]
    return found


def main() -> None:
    import yaml  # only this command needs it

    class Dumper(yaml.SafeDumper):
        """No aliases, and text of several lines as it reads."""

        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 -- PyYAML asks it so
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    fixtures, target = map(Path, sys.argv[1:])
    target.parent.mkdir(parents=True, exist_ok=True)
    written = yaml.dump(
        document(golden_frames(fixtures)), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120
    )
    target.write_text(f"# Generated from ems_contract by `make gen`; do not edit.\n{written}", encoding="utf-8")


if __name__ == "__main__":
    main()
