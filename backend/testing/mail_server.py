"""A mail server for tests, on a socket of its own. The fixture is `mail_server`."""

from __future__ import annotations

import socketserver
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as it takes; refuses the addresses that it is told to."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.received: list[str] = []
        self.refused: set[str] = set()
        super().__init__(("127.0.0.1", 0), Conversation)


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "RCPT" if rest.partition("<")[2].rstrip(">") in self.server.refused:
                    self._say("550 no such address")
                case "DATA":
                    self._say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    self.server.received.append(b"".join(lines).decode())
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def smtp_at(port: int) -> dict[str, Any]:
    """Django's MAILERS for a server on this machine."""
    options = {"host": "127.0.0.1", "port": port, "timeout": 2}
    return {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
