"""A connection to the broker that comes back by itself, with everything that was opened on it.

aio-pika's robust connection restores channels one by one behind the caller's back; here a connection and its channels
live and die together, and whoever needs them asks for the present ones.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Generic, TypeVar

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, TimeoutType
from aiormq import exceptions as amqp
from aiormq.channel import Channel

from shared.errors import BusUnavailableError
from shared.settings import ConfigurationError

log = structlog.get_logger()

HEARTBEAT_SECONDS = 10
CONNECT_SECONDS = 5
CLOSE_SECONDS = 3
CANCEL_AGAIN_SECONDS = 0.5
FIRST_CONNECT_SECONDS = 30  # a broker that starts together with the services is up by then
SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

# Trying again cannot help.
_HOPELESS = (
    amqp.AuthenticationError,
    amqp.ProbableAuthenticationError,
    amqp.InvalidFrameError,  # so aiormq reports that the virtual host does not exist, or not for us
    amqp.ChannelPreconditionFailed,  # a queue exists with other arguments
)
_REFUSAL = "AMQP_URL: the broker refuses the credentials, the virtual host or the queues"

# What any use of a connection may end in when the broker is away or refuses.
AMQP_FAILURES = (amqp.AMQPError, OSError, TimeoutError, RuntimeError)

ReadyT = TypeVar("ReadyT")


class Connection(aio_pika.Connection):
    """Counts as closed once it could not be opened: aio-pika's would start to close itself whenever it is collected,
    also where no event loop runs."""

    async def connect(self, timeout: TimeoutType = None) -> None:
        try:
            await super().connect(timeout)
        except BaseException:
            await self.close()
            raise


class Session:
    """One life of a connection: it ends when the connection or any channel on it is lost."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._channels: list[AbstractChannel] = []
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if connection.transport is not None:
            connection.transport.connection.closing.add_done_callback(self._on_closed)

    async def channel(self, *, confirms: bool) -> Channel:
        """Open a channel. With confirms, a mandatory message that reaches no queue raises where it was published."""
        channel = self._connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
        await channel.initialize(timeout=CONNECT_SECONDS)
        self._channels.append(channel)
        opened = await channel.get_underlay_channel()
        opened.closing.add_done_callback(self._on_closed)
        if not isinstance(opened, Channel):
            raise TypeError(f"aio-pika opened a {type(opened).__name__}")
        return opened

    async def writable(self) -> None:
        """Wait while the broker blocks publishers (it is short of memory or disk)."""
        if self._connection.transport is not None:
            await self._connection.transport.ready()

    def give_up(self, reason: str) -> None:
        """End this life; the connection is made anew."""
        if not self.lost.done():
            self.lost.set_result(reason)

    async def close(self) -> None:
        """Close the connection; a broker that does not answer is not waited for."""
        self.give_up("closed")
        try:
            with suppress(*AMQP_FAILURES), cancelled_only_by_us():
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._connection.close()
        finally:
            await (
                self._connection.close()
            )  # without its transport it is closed at once, also where the first try failed

    def _on_closed(self, closing: "asyncio.Future[object]") -> None:
        error = None if closing.cancelled() else closing.exception()
        self.give_up(describe(error) if error else "closed")


class Link(Generic[ReadyT]):
    """Keeps one connection, and what `prepare` opened on it, ready for use."""

    def __init__(self, url: str, name: str, prepare: Callable[[Session], Awaitable[ReadyT]]) -> None:
        self._url = url
        self._name = name
        self._prepare = prepare
        self._ready: ReadyT | None = None
        self._session: Session | None = None
        self._is_up = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Connect, and stay connected while the block lasts.

        Raises BusUnavailableError when the broker does not answer within half a minute, and ConfigurationError when it
        refuses us.
        """
        await self._connect_first()
        keeper = asyncio.create_task(self._keep(), name=f"bus {self._name}")
        try:
            yield
        finally:
            await end({keeper})
            await self._drop()

    @property
    def present(self) -> ReadyT | None:
        """What is open now, or None while there is no connection."""
        return self._ready

    async def ready(self) -> ReadyT:
        """What was opened on the present connection; waits while there is none. Give it a timeout."""
        while self._ready is None:
            await self._is_up.wait()
        return self._ready

    async def writable(self) -> ReadyT:
        """The same, once the broker takes messages. Give it a timeout."""
        ready = await self.ready()
        if self._session is not None:
            await self._session.writable()
        return ready

    async def _connect_first(self) -> None:
        try:
            async with asyncio.timeout(FIRST_CONNECT_SECONDS):
                while (error := await self._try_to_connect()) is not None:
                    if isinstance(error, _HOPELESS):
                        raise ConfigurationError(f"{_REFUSAL}: {describe(error)}") from error
                    log.warning("bus_connection_failed", connection=self._name, reason=describe(error))
                    await asyncio.sleep(LONGEST_PAUSE_SECONDS)
        except TimeoutError as error:
            raise BusUnavailableError("the broker does not answer") from error

    async def _keep(self) -> None:
        while True:
            if self._session is not None:
                reason = await asyncio.shield(self._session.lost)
                log.warning("bus_connection_lost", connection=self._name, reason=reason)
                await self._drop()
            pause = SHORTEST_PAUSE_SECONDS
            while (error := await self._try_to_connect()) is not None:
                log.debug("bus_connection_failed", connection=self._name, reason=describe(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            log.info("bus_connection_regained", connection=self._name)

    async def _try_to_connect(self) -> Exception | None:
        try:
            with cancelled_only_by_us():
                connection = await aio_pika.connect(
                    self._url,
                    heartbeat=HEARTBEAT_SECONDS,
                    timeout=CONNECT_SECONDS,
                    client_properties={"connection_name": self._name},
                    connection_class=Connection,
                )
                session = Session(connection)
                self._ready = await self._prepared(session)
        except Exception as error:  # whatever went wrong, the keeper has to try again
            return error
        self._session = session
        self._is_up.set()
        return None

    async def _prepared(self, session: Session) -> ReadyT:
        try:
            return await self._prepare(session)
        except BaseException:
            await session.close()
            raise

    async def _drop(self) -> None:
        self._is_up.clear()
        session, self._session, self._ready = self._session, None, None
        if session is not None:
            await session.close()


async def end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end; again where a library takes a cancellation for an error of its own."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_SECONDS)


@contextmanager
def cancelled_only_by_us() -> Iterator[None]:
    """Turn a cancellation that nobody asked for into the loss that it stands for.

    aiormq cancels whatever waits on a channel that dies.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise amqp.ConnectionClosed(0, "the connection was lost") from error


def describe(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {error}"
