"""`python -m tests.bench.receiver`: the fastest vendor there is, so that what is measured is who delivers to it.

It prints its port, answers every POST with 200 as soon as the body is there, and GET with what it has seen since the
last GET: how many deliveries of how many events, when the last one came, and how long after its event each was here.
"""

import asyncio
import re
import time
from datetime import datetime
from typing import cast

import orjson
import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"webhook-id: *(\S+)", re.IGNORECASE)
_HAPPENED = re.compile(rb'"timestamp":"([^"]+)"')
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

_ids: set[bytes] = set()
_lags_ms: list[float] = []
_last_at = 0.0


class _Connection(asyncio.Protocol):
    """Keep-alive HTTP, as far as our own client speaks it."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Answer every whole request that is there."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = int(match[1]) if (match := _LENGTH.search(head)) else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            self._transport.write(_seen() if head.startswith(b"GET") else _took(head, body))


def _took(head: bytes, body: bytes) -> bytes:
    global _last_at  # noqa: PLW0603 - one process, one thread, and every microsecond counts
    _last_at = time.time()
    if (identifier := _ID.search(head)) is not None:
        _ids.add(identifier[1])
    if (happened := _HAPPENED.search(body)) is not None:
        _lags_ms.append(1000 * (_last_at - datetime.fromisoformat(happened[1].decode()).timestamp()))
    return _OK


def _seen() -> bytes:
    body = orjson.dumps({"deliveries": len(_lags_ms), "events": len(_ids), "last_at": _last_at, "lags_ms": _lags_ms})
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - for whoever started it
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
