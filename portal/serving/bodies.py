"""Receiving a request's body: whole, within a deadline and a limit, before a thread of the application is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from portal.core.errors import DomainError, RequestTimeout, ServiceUnavailable, ValidationFailed

LARGEST_BODY = 6 * 1024 * 1024
"""Bytes of the largest body that any operation or form takes, and some more: what is larger is not received."""
MEMORY = 64 * 1024 * 1024
"""Bytes that the bodies of a process may take up at a time, whoever sends them."""


BROKEN_OFF = "The body ended before it was complete, or is not in the announced form"


class Source(Protocol):
    """What a body is received from. Its chunks end with an empty one; with two if the connection broke."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True)
class Body:
    """A received body. `length` is as declared, and larger than `content` if that is why it was not received.

    `is_whole` tells that nothing of it is left on the connection, `problem` why the request cannot be carried out.
    """

    content: bytes = b""
    length: int = 0
    is_whole: bool = False
    problem: DomainError | None = None


@dataclass
class Receiver:
    """Receives bodies on one event loop. `timeout` is in seconds and counts for the whole body."""

    timeout: float
    largest: int = LARGEST_BODY
    memory: int = MEMORY
    held: int = field(default=0, init=False)
    """Bytes received and not yet released."""

    async def receive(self, source: Source, declared: str | None) -> Body:
        """Receive a body of `declared` length, or of unknown length if None. The caller must `release` it."""
        length = int(declared) if declared is not None else None
        if length is not None and not 0 < length <= self.largest:
            return Body(length=length, is_whole=length == 0)
        chunks: list[bytes] = []
        problem: DomainError | None = None
        try:
            async with asyncio.timeout(self.timeout):
                problem = await self._collect(source, length, chunks)
        except TimeoutError:
            problem = RequestTimeout(f"The request did not arrive within {self.timeout:g} seconds.")
        except BaseException:
            self.held -= sum(map(len, chunks))
            raise
        content = b"".join(chunks)
        return Body(content, len(content), problem is None and len(content) <= self.largest, problem)

    def release(self, body: Body) -> None:
        """Count the body's bytes as free again."""
        self.held -= len(body.content)

    async def _collect(self, source: Source, length: int | None, chunks: list[bytes]) -> DomainError | None:
        """Append chunks until the body is whole or too large. Returns what is wrong with it otherwise."""
        received, empty = 0, 0
        async for chunk in source:
            chunks.append(chunk)
            received += len(chunk)
            self.held += len(chunk)
            empty += not chunk
            if self.held > self.memory:
                return ServiceUnavailable()
            if received == length or received > self.largest:
                return None
        return None if length is None and empty <= 1 else ValidationFailed({"request": BROKEN_OFF})
