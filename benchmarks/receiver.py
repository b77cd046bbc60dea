"""A broker's end of the wire: notes when each line came and says so. Prints its port, serves one connection."""

from __future__ import annotations

import socket
import sys
import time


def main() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    held = b""
    while came := connection.recv(65536):
        at = time.monotonic_ns()
        *lines, held = (held + came).split(b"\n")
        for line in lines:
            connection.sendall(b"%s %d\n" % (line.split(b" ", 1)[0], at))


if __name__ == "__main__":
    sys.exit(main())
