"""A mosquitto of our own, to be killed and frozen, and mosquitto's own clients as the devices and people on it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import trustme
from ems_stack import peers

from edge_support.waiting import free_port, until

USER, PASSWORD = "edge", "a-password-that-no-log-may-show"


class Broker:
    """`secured`: only USER with PASSWORD is let in; `rules` are mosquitto's own. `authority` signs its certificate."""

    def __init__(
        self, home: Path, *, secured: bool = False, rules: str = "", authority: trustme.CA | None = None
    ) -> None:
        home.mkdir(exist_ok=True)
        self.port = free_port()
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        lines = [f"listener {self.port} 127.0.0.1", "user root", "persistence false", "set_tcp_nodelay true"]
        lines += [f"allow_anonymous {'false' if secured else 'true'}"]
        if secured:
            (home / "users").write_text(f"{USER}:{_hashed(PASSWORD)}\n")
            lines += [f"password_file {home / 'users'}"]
        if rules:
            (home / "rules").write_text(rules)
            lines += [f"acl_file {home / 'rules'}"]
        if authority is not None:
            certificate = authority.issue_cert("127.0.0.1")
            certificate.private_key_pem.write_to_path(str(home / "key"))
            certificate.cert_chain_pems[0].write_to_path(str(home / "certificate"))
            lines += [f"certfile {home / 'certificate'}", f"keyfile {home / 'key'}"]
        (home / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self.start()

    def start(self) -> None:
        command = [str(peers.program("mosquitto")), "-c", str(self._home / "mosquitto.conf"), "-v"]
        log = self._home / "log"
        with log.open("wb") as file:
            self._process = subprocess.Popen(command, stdout=file, stderr=file)
        deadline = time.monotonic() + 10
        while b" running\n" not in log.read_bytes():
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)

    @property
    def log(self) -> str:
        return (self._home / "log").read_text()

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _words(self, program: str, topic: str) -> list[str]:
        return [str(peers.program(program)), "-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-q", "1"]

    async def say(
        self, topic: str, payload: str | bytes, *, retain: bool = False, user: str = "", password: str = ""
    ) -> None:
        """With mosquitto_pub, acknowledged by the broker."""
        words = [*self._words("mosquitto_pub", topic), "-s" if payload else "-n", *(["-r"] if retain else [])]
        words += ["-u", user, "-P", password] if user else []
        process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.PIPE)
        await process.communicate(payload.encode() if isinstance(payload, str) else payload)
        assert process.returncode == 0

    @contextlib.asynccontextmanager
    async def device(self, topic: str, online: str, offline: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A mosquitto_pub that says `online`, stays, and whose last will is `offline`: kill it and it is said."""
        words = [*self._words("mosquitto_pub", topic), "-r", "-l", "--will-topic", topic, "--will-payload", offline]
        process = await asyncio.create_subprocess_exec(*words, "--will-retain", stdin=asyncio.subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(online.encode() + b"\n")
        said = f"'{topic}', ... ({len(online)} bytes)"
        before = self.log.count(said)
        try:
            await until(lambda: self.log.count(said) > before, "the device to be there")
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            process.stdin.close()

    @contextlib.asynccontextmanager
    async def listening(self, topic: str) -> AsyncIterator[list[str]]:
        """What mosquitto_sub hears: the payloads so far, in order."""
        before = self.log.count("SUBACK")
        words = [*self._words("mosquitto_sub", topic), "-F", "%p"]
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        heard: list[str] = []

        async def listen() -> None:
            assert process.stdout is not None
            while line := await process.stdout.readline():
                heard.append(line.decode().rstrip("\n"))

        task = asyncio.create_task(listen())
        try:
            await until(lambda: self.log.count("SUBACK") > before, "the subscription")
            yield heard
        finally:
            process.kill()
            await process.wait()
            await task


def _hashed(password: str) -> str:
    """As in mosquitto's password file."""
    salt, rounds = b"twelve bytes", 101
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
