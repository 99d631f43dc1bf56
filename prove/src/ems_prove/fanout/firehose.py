"""The opposite of a server: writes the same block of frames to every client, again and again, as fast as they take it.

    python -m ems_prove.fanout.firehose PORT ANYTHING

It costs hardly anything but the kernel's copying, so what arrives is what the load can take at most.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time

from ems_prove.fanout.batches import Batches

BLOCK = 60
"""Frames of 250 bytes in one write: about what a busy server of this kind writes at once."""
SEND_BUFFER = 131_072


def block() -> bytes:
    batches = Batches(1, 250)
    return b"".join(b"\x81\x7e" + len(batch).to_bytes(2) + batch for batch in (batches.next() for _ in range(BLOCK)))


def main(port: int) -> None:
    clients: list[socket.socket] = []
    threading.Thread(target=_write, args=(clients, block()), daemon=True).start()
    with socket.create_server(("127.0.0.1", port), backlog=256) as server:
        while True:
            client, _ = server.accept()
            with contextlib.suppress(ConnectionError):
                if not client.recv(4_096):  # somebody who only asks whether the port is open
                    client.close()
                    continue
                client.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                client.recv(4_096)
                client.sendall(b"\x81\x0asubscribed")
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
                client.setblocking(False)
                clients.append(client)


def _write(clients: list[socket.socket], frames: bytes) -> None:
    left: dict[socket.socket, memoryview] = {}
    while True:
        wrote = False
        for client in list(clients):
            rest = left.get(client) or memoryview(frames)
            try:
                sent = client.send(rest)
            except BlockingIOError:
                continue
            except ConnectionError:
                clients.remove(client)
                continue
            left[client] = rest[sent:]
            wrote = True
        if not wrote:
            time.sleep(0.001)


if __name__ == "__main__":
    main(int(sys.argv[1]))
