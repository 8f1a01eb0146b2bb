"""A receiver of webhooks, in a process of its own: notes when each message came, and tells on request.

GET answers a JSON object of `webhook-id` to the time of its first arrival, in seconds; DELETE forgets them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Sink(asyncio.Protocol):
    """One connection. A message is a head up to an empty line, then so many bytes of body."""

    arrivals: dict[str, float] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while True:
            head, found, rest = self.waiting.partition(b"\r\n\r\n")
            headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
            length = int(headers.get(b"content-length", b"0"))
            if not found or len(rest) < length:
                return
            self.waiting = rest[length:]
            self.answer(head[:3], headers)

    def answer(self, method: bytes, headers: dict[bytes, bytes]) -> None:
        if method == b"POS":
            self.arrivals.setdefault(headers[b"webhook-id"].decode(), time.time())
            self.transport.write(OK)
            return
        body = json.dumps(self.arrivals).encode()
        if method == b"DEL":
            self.arrivals.clear()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
