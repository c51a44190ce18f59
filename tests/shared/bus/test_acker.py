"""Acknowledging: as few frames as possible, never one tag twice, never one too many."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.bus.acker import Acker


class StrictChannel:
    """Settles tags as the broker does: one that is not outstanding is a fault that closes the channel."""

    is_closed = False

    def __init__(self) -> None:
        self.outstanding: list[int] = []
        self.acked: set[int] = set()
        self.rejected: list[int] = []
        self.frames = 0

    async def basic_ack(self, tag: int, multiple: bool = False, wait: bool = True) -> None:
        assert tag in self.outstanding, f"unknown delivery tag {tag}"
        self.frames += 1
        settled = [each for each in self.outstanding if each == tag or (multiple and each < tag)]
        self.acked.update(settled)
        self.outstanding = [each for each in self.outstanding if each not in settled]

    async def basic_reject(self, tag: int, *, requeue: bool, wait: bool = True) -> None:
        assert tag in self.outstanding, f"unknown delivery tag {tag}"
        assert not requeue
        self.frames += 1
        self.outstanding.remove(tag)
        self.rejected.append(tag)


def deliver(channel: StrictChannel, acker: Acker, tags: range) -> None:
    for tag in tags:
        channel.outstanding.append(tag)
        acker.delivered(tag)


def new_acker(channel: Any) -> Acker:
    return Acker(channel)


async def test_what_is_done_in_order_is_acknowledged_in_one_frame() -> None:
    channel = StrictChannel()
    acker = new_acker(channel)
    deliver(channel, acker, range(1, 101))

    for tag in range(1, 101):
        acker.ack([tag])
    await acker.close()

    assert channel.acked == set(range(1, 101))
    assert channel.frames == 1


async def test_what_is_still_being_worked_on_is_not_acknowledged() -> None:
    channel = StrictChannel()
    acker = new_acker(channel)
    deliver(channel, acker, range(1, 5))

    acker.ack([1, 3, 4])
    await acker.close()

    assert channel.acked == {1, 3, 4}
    assert channel.outstanding == [2]


@given(steps=st.lists(st.sampled_from(["deliver", "ack", "reject", "write"]), max_size=60), random=st.randoms())
def test_whatever_the_order_each_delivery_is_settled_once_and_as_it_was_said(steps: list[str], random: Any) -> None:
    asyncio.run(_settle_in_any_order(steps, random))


async def _settle_in_any_order(steps: list[str], random: Any) -> None:
    channel = StrictChannel()
    acker = new_acker(channel)
    in_hand: list[int] = []
    acked, rejected, last = set(), set(), 0
    for step in steps:
        if step == "deliver":
            last += 1
            deliver(channel, acker, range(last, last + 1))
            in_hand.append(last)
        elif step == "write":
            await asyncio.sleep(0)
        elif in_hand:
            tag = in_hand.pop(random.randrange(len(in_hand)))
            if step == "ack":
                acker.ack([tag])
                acked.add(tag)
            else:
                acker.reject(tag)
                rejected.add(tag)
    await acker.close()

    assert channel.acked == acked
    assert set(channel.rejected) == rejected
    assert channel.outstanding == sorted(in_hand)
