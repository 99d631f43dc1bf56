"""A redis-server of our own, to be killed and frozen, with the users of the README and nobody else."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import redis

README = Path(__file__).parents[3] / "README.md"


def documented_rules() -> list[str]:
    """The ACL rules that the README asks for: the tests run with exactly these."""
    block = README.read_text(encoding="utf-8").split("```acl\n")[1].split("```")[0]
    return block.split()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class RedisProcess:
    def __init__(self, home: Path) -> None:
        binary = os.environ.get("EMS_REDIS_SERVER") or shutil.which("redis-server")
        if binary is None:
            raise RuntimeError(
                "these tests start their own Redis: put redis-server on the PATH or set EMS_REDIS_SERVER"
            )
        self._binary = binary
        self._home = home
        self.port = free_port()
        self.url = f"redis://realtime:live@127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        users = [
            "default off -@all",
            "admin on >admin ~* &* +@all",
            f"realtime on >live {' '.join(documented_rules())}",
        ]
        (home / "users.acl").write_text("".join(f"user {user}\n" for user in users))
        self.start()

    @property
    def admin(self) -> redis.Redis:
        return self._admin

    def start(self) -> None:
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._home)]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--aclfile", "users.acl"]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._admin = redis.Redis(port=self.port, username="admin", password="admin")
        deadline = time.monotonic() + 10
        while True:
            try:
                self._admin.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9"""
        assert self._process is not None
        self._admin.close()
        self._signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)
