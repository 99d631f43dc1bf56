"""A redis-server of our own, to be killed, frozen and wiped; its edges have the contract's rules and no more."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import redis
from ems_contract import keys
from ems_contract.provisioning import RedisAccess

from edge_support.waiting import free_port

PASSWORD = "a-password-that-no-log-may-show"


class RedisProcess:
    """`durable`: with an append-only file, so that a restart keeps its data."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        binary = os.environ.get("EMS_REDIS_SERVER") or shutil.which("redis-server")
        if binary is None:
            raise RuntimeError(
                "these tests start their own Redis: put redis-server on the PATH or set EMS_REDIS_SERVER"
            )
        self._binary = binary
        self._home = home
        self._durable = durable
        self.port = free_port()
        self.admin = redis.Redis(port=self.port, username="admin", password="admin", protocol=2)
        (home / "users.acl").write_text("user default off -@all\nuser admin on >admin ~* &* +@all\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._home)]
        command += ["--save", "", "--appendonly", "yes" if self._durable else "no", "--appendfsync", "always"]
        command += ["--aclfile", "users.acl"]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while True:
            try:
                self.admin.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def edge_user(self, site: int = 1, edge: int = 1, *, password: str = PASSWORD) -> RedisAccess:
        """What the backend does for an edge: a user with exactly the contract's rules."""
        name = keys.edge_user(edge, "abc123")
        self.admin.execute_command("ACL", "SETUSER", name, *keys.edge_acl(site, edge), f">{password}")
        self.admin.execute_command("ACL", "SAVE")
        return RedisAccess(f"redis://127.0.0.1:{self.port}/0", name, password)

    def kill(self) -> None:
        """kill -9"""
        if self._process is not None:
            self.admin.connection_pool.disconnect()
            self.thaw()
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self.admin.close()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
