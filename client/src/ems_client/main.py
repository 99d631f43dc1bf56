"""`ems-live watch`: what a site measures, as it comes, in a terminal or for another program."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ems_client import lines
from ems_client.errors import LiveEndedError, TokenUnavailableError
from ems_client.events import Event
from ems_client.live import LiveClient

_EPILOG = """\
environment:
  EMS_LIVE_TOKEN       an access token (emt_...); or name a file with --token-file
  EMS_LIVE_URL         in place of --url
  EMS_LIVE_ORIGIN      in place of --origin

Values go to standard output, what is told about the link to standard error; with --json everything goes to standard
output, an object a line. Ends with 0 on a signal or after --seconds, 1 when the service ended it, 2 on a wrong word.
"""


class UsageError(ValueError):
    """A word or a variable is missing or wrong; the message names it and says what is expected."""


def main(words: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(words)
    try:
        code = asyncio.run(watch(asked, os.environ))
    except ValueError as error:
        sys.stderr.write(f"ems-live: {error}\n")
        code = 2
    except BrokenPipeError:  # whoever read us has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    raise SystemExit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("ems-live", description="Live values, alerts and commands of SimTestLab EMS.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    watching = commands.add_parser(
        "watch",
        help="print what sites measure, as it comes",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    watching.add_argument("sites", nargs="+", metavar="SITE", help="site_<id>, such as site_7")
    watching.add_argument("--interval", type=int, default=0, metavar="MS", help="at most one frame a site in this time")
    watching.add_argument("--point", action="append", metavar="KEY", help="only this point; again for several")
    watching.add_argument("--json", action="store_true", help="every event as a line of JSON")
    watching.add_argument("--seconds", type=float, metavar="N", help="stop after so long")
    watching.add_argument("--url", help="of the live service, such as wss://ems.example.com/ws")
    watching.add_argument("--origin", help="one that the service allows, such as https://ems.example.com")
    watching.add_argument("--token-file", type=Path, metavar="PATH", help="read anew whenever a token is needed")
    return parser


async def watch(asked: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Raises ValueError for what is wrong with the words or the environment."""
    url = asked.url or env.get("EMS_LIVE_URL") or "ws://localhost:8001/ws"
    origin = asked.origin or env.get("EMS_LIVE_ORIGIN") or None
    render = lines.renderer(sys.stdout, sys.stderr, points=asked.point, as_json=asked.json)
    client = LiveClient(url, token=_token(asked.token_file, env), origin=origin)
    task = asyncio.ensure_future(_follow(client, asked, render))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        async with asyncio.timeout(asked.seconds):
            await task
    except (TimeoutError, asyncio.CancelledError):
        return 0
    except LiveEndedError as error:
        sys.stderr.write(f"ems-live: {error}\n")
        return 1
    return 0


async def _follow(client: LiveClient, asked: argparse.Namespace, render: Callable[[Event], None]) -> None:
    async with client as live:
        await live.subscribe(*asked.sites, interval=asked.interval)
        async for event in live:
            render(event)


def _token(path: Path | None, env: Mapping[str, str]) -> str | Callable[[], str]:
    if path is not None:
        return lambda: _read(path)
    token = env.get("EMS_LIVE_TOKEN", "").strip()
    if not token:
        raise UsageError("no token: set EMS_LIVE_TOKEN or name a file with --token-file")
    return token


def _read(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        if token := path.read_text(encoding="utf-8").strip():
            return token
    raise TokenUnavailableError(f"{path} holds no token yet")
