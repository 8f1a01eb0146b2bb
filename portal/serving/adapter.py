"""A WSGI application under Granian's RSGI: requests are received on the event loop, carried out on threads.

A client that sends or reads slowly so holds no thread. What needs no store is answered on the loop itself.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol
from wsgiref.types import WSGIApplication

from portal.core.errors import PROBLEM
from portal.serving.bodies import Receiver, Source
from portal.serving.environ import Scope, build_environ, put_body

log = logging.getLogger("slipway.serving")

FINISH_SECONDS = 0.25
BODILESS = frozenset({204, 304})
ResponseHeaders = list[tuple[str, str]]


class Stream(Protocol):
    """A response that is sent piece by piece."""

    def send_bytes(self, data: bytes) -> Any: ...


class Exchange(Source, Protocol):
    """RSGI's protocol object: the body of a request, and the means to respond, from any thread."""

    def response_bytes(self, status: int, headers: ResponseHeaders, body: bytes) -> None: ...

    def response_stream(self, status: int, headers: ResponseHeaders) -> Stream: ...


Environ = dict[str, Any]
Response = tuple[int, ResponseHeaders, bytes]
Instant = Callable[[Scope], Response | None]


class RequestServer:
    """The RSGI application. `instant` responds to a request from memory; None if that takes the application."""

    def __init__(self, application: WSGIApplication, receiver: Receiver, threads: int, instant: Instant) -> None:
        self._application = application
        self._receiver = receiver
        self._threads = threads
        self._instant = instant
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        self._finisher = Finisher()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the application's threads, in the process that serves."""
        self._finisher.start(loop)
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"request-{number}", daemon=True).start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the threads, every request having been answered."""
        self._finisher.end_finished()
        for _ in range(self._threads):
            self._queue.put(None)

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Answer one request."""
        self._finisher.end_finished()
        response = self._instant(scope)
        if response is not None:
            exchange.response_bytes(*response)
            return
        task = Task(build_environ(scope), exchange)
        environ = task.environ
        if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
            await self._perform(task)
            return
        body = await self._receiver.receive(exchange, environ.get("CONTENT_LENGTH"))
        put_body(environ, body.content, body.length)
        environ[PROBLEM] = body.problem
        task.is_last = not body.is_whole
        try:
            await self._perform(task)
        finally:
            self._receiver.release(body)

    async def _perform(self, task: Task) -> None:
        """Have a thread answer, and wait until it has."""
        self._queue.put(task)
        await task.done

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            try:
                self._respond(task)
            except BaseException:
                log.exception("a response could not be sent")
            self._finisher.finish(task.done)

    def _respond(self, task: Task) -> None:
        environ, exchange = task.environ, task.exchange
        try:
            status, headers, body = _call(self._application, environ)
        except BaseException:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            status, headers, body = 500, [("Content-Type", "text/plain")], b"Internal Server Error\n"
        if task.is_last:
            headers = [*headers, ("Connection", "close")]
        if _is_cut(environ["REQUEST_METHOD"], status, headers, body):
            _break_off(exchange, status, headers, body)
        else:
            exchange.response_bytes(status, headers, body)


class Task:
    """One request for a thread. `is_last` ends its connection."""

    __slots__ = ("done", "environ", "exchange", "is_last")

    def __init__(self, environ: Environ, exchange: Exchange) -> None:
        self.environ = environ
        self.exchange = exchange
        self.is_last = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Finisher:
    """Ends the coroutines of requests that threads have answered.

    Nobody waits for that, so the event loop is not woken for it: it is done when the next request comes, or soon.
    """

    def __init__(self) -> None:
        self._finished: deque[asyncio.Future[None]] = deque()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look after what is finished until the loop ends."""
        self.end_finished()
        loop.call_later(FINISH_SECONDS, self.start, loop)

    def finish(self, done: asyncio.Future[None]) -> None:
        """Note that a request was answered. To be called on any thread."""
        self._finished.append(done)

    def end_finished(self) -> None:
        """Let the coroutines go on that wait for what is finished. To be called on the loop."""
        while self._finished:
            done = self._finished.popleft()
            if not done.done():
                done.set_result(None)


def _call(application: WSGIApplication, environ: Environ) -> Response:
    """Have the application answer, and take its whole response, so that no reader holds up a thread."""
    started: tuple[int, ResponseHeaders] = (500, [])
    pieces: list[bytes] = []

    def start_response(status: str, headers: ResponseHeaders, exc_info: Any = None) -> Callable[[bytes], object]:
        nonlocal started
        started = int(status[:3]), headers
        return pieces.append

    result = application(environ, start_response)
    try:
        pieces.extend(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    return *started, b"".join(pieces)


def _is_cut(method: str, status: int, headers: ResponseHeaders, body: bytes) -> bool:
    """Whether less is to be sent than was announced, as a scenario of a sandbox asks for."""
    if method == "HEAD" or status in BODILESS:
        return False
    announced = next((value for name, value in headers if name == "Content-Length"), "0")
    return int(announced) > max(1, len(body))


def _break_off(exchange: Exchange, status: int, headers: ResponseHeaders, body: bytes) -> None:
    """Send less than was announced, one byte at least: the connection is closed before the response is whole.

    Without any byte the server may find the response empty before it sends the announcement.
    """
    exchange.response_stream(status, headers).send_bytes(body or b" ")
