"""Tells the broker what has been dealt with: one writer for each channel, one frame for as many as possible.

Acknowledging "all up to here" from several tasks ends in unknown delivery tags and a closed channel; here one task
writes, and "here" only rises.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress

from aiormq.channel import Channel

from shared.bus.connection import AMQP_FAILURES, cancelled_only_by_us


class Acker:
    """Settles the deliveries of one channel. On a dead channel it does nothing: the broker delivers them again."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._outstanding: OrderedDict[int, None] = OrderedDict()  # tags in the order of delivery
        self._done: set[int] = set()
        self._rejected: list[int] = []
        self._changed = asyncio.Event()
        self._is_closing = False
        self.writer = asyncio.create_task(self._write_changes(), name="bus acker")

    @property
    def is_open(self) -> bool:
        """Whether the broker still counts on us for these deliveries."""
        return not self._channel.is_closed

    def delivered(self, tag: int) -> None:
        """Note a delivery; tags come in rising order."""
        self._outstanding[tag] = None

    def ack(self, tags: Iterable[int]) -> None:
        """Dealt with."""
        self._done.update(tags)
        self._changed.set()

    def reject(self, tag: int) -> None:
        """To the dead letters."""
        self._rejected.append(tag)
        self._changed.set()

    async def close(self) -> None:
        """Write what is left to write."""
        self._is_closing = True
        self._changed.set()
        await asyncio.wait([self.writer])

    def abandon(self) -> None:
        """The channel is gone, and every delivery on it with it."""
        self.writer.cancel()

    async def _write_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._write()
            if self._is_closing:
                return

    async def _write(self) -> None:
        rejected, self._rejected = self._rejected, []
        with suppress(*AMQP_FAILURES), cancelled_only_by_us():
            for tag in rejected:
                del self._outstanding[tag]
                await self._channel.basic_reject(tag, requeue=False, wait=False)
            if (last := self._take_leading()) is not None:
                await self._channel.basic_ack(last, multiple=True, wait=False)
            for tag in self._take_scattered():
                await self._channel.basic_ack(tag, wait=False)

    def _take_leading(self) -> int | None:
        """The last of the done ones at the front, which one frame acknowledges together."""
        last = None
        for tag in self._outstanding:
            if tag not in self._done:
                break
            last = tag
            self._done.discard(tag)
        while last is not None and self._outstanding.popitem(last=False)[0] != last:
            pass
        return last

    def _take_scattered(self) -> set[int]:
        """The done ones behind some that are still being worked on."""
        scattered, self._done = self._done, set()
        for tag in scattered:
            del self._outstanding[tag]
        return scattered
