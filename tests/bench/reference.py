"""`python -m tests.bench.reference`: the grouped reference, the bare job of a dispatcher without any of its promises.

It takes commands of 50 recipients (eight in hand), stores them with one insert, posts them 50 at a time to the
sandbox's `/bench`, which looks at nothing, records the answers with one bulk write, announces them with one confirmed
event, and acknowledges once. No intent, no lease, no sweeper, no rate, no sealed token, no template, no statuses: a
product that keeps promises can come near to it, not beat it.
"""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aio_pika
import aiohttp
import orjson
import uvloop
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from shared.bus.topology import EVENTS
from shared.clock import utc_now
from shared.contracts.messaging import BatchMessage, MessagesSent, SendBatch, SentMessage
from shared.mongo import Document, connect

QUEUE = "bench.reference.v1"
QUEUE_ARGUMENTS: dict[str, Any] = {"x-queue-type": "quorum"}
ROUTING_KEY = "bench.reference_sent.v1"
URL_VARIABLE = "BENCH_URL"
PREFETCH = 8
CONCURRENT_POSTS = 50


@dataclass(frozen=True, slots=True)
class Reference:
    """One command from the queue to the acknowledgement."""

    messages: AsyncCollection[Document]
    http: aiohttp.ClientSession
    url: str
    events: AbstractExchange

    async def on_command(self, delivery: AbstractIncomingMessage) -> None:
        """Do it all, in order."""
        batch = SendBatch.model_validate_json(delivery.body)
        payloads = {item.message_id: payload_of(item) for item in batch.items}
        await self.messages.insert_many(
            [claim_of(batch, item, payloads[item.message_id]) for item in batch.items], ordered=False
        )
        posted = await asyncio.gather(*(self._post(item, payloads[item.message_id]) for item in batch.items))
        wamids = dict(zip(payloads, posted, strict=True))
        await self.messages.bulk_write(
            [UpdateOne({"_id": key}, {"$set": {"state": "SENT", "wamid": wamid}}) for key, wamid in wamids.items()],
            ordered=False,
        )
        await self.events.publish(
            aio_pika.Message(sent_event(batch, wamids).encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT),
            routing_key=ROUTING_KEY,
        )
        await delivery.ack()

    async def _post(self, item: BatchMessage, payload: bytes) -> str:
        async with self.http.post(self.url, data=payload) as answer:
            return str(orjson.loads(await answer.read())["messages"][0]["id"])


def payload_of(item: BatchMessage) -> bytes:
    """What Meta would be told."""
    template = {
        "name": "spring_offer",
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}],
    }
    message = {"messaging_product": "whatsapp", "to": item.to, "type": "template", "template": template}
    return orjson.dumps(message | {"biz_opaque_callback_data": f"w1:{item.message_id}:1"})


def claim_of(batch: SendBatch, item: BatchMessage, payload: bytes) -> Document:
    """What is stored before the call."""
    return {
        "_id": item.message_id,
        "user_id": batch.user_id,
        "phone_number_id": batch.phone_number_id,
        "campaign_id": batch.campaign_id,
        "recipient_id": item.recipient_id,
        "to": item.to,
        "payload": payload.decode(),
        "state": "CLAIMED",
        "created_at": utc_now(),
    }


def sent_event(batch: SendBatch, wamids: Mapping[str, str]) -> str:
    """The announcement's JSON; `wamids` by message id."""
    now = utc_now()
    items = (
        SentMessage(
            id=f"message.sent:{item.message_id}",
            message_id=item.message_id,
            wa_message_id=wamids[item.message_id],
            conversation_id=None,
            user_id=batch.user_id,
            phone_number_id=batch.phone_number_id,
            to=item.to,
            type=batch.content.type,
            source="campaign",
            campaign_id=batch.campaign_id,
            recipient_id=item.recipient_id,
            sent_at=now,
        )
        for item in batch.items
    )
    return MessagesSent(items=tuple(items)).model_dump_json()


async def run(environ: Mapping[str, str]) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with AsyncExitStack() as stack:
        client = await connect(environ["MONGODB_URL"], app_name="reference")
        stack.push_async_callback(client.close)
        connector = aiohttp.TCPConnector(limit=CONCURRENT_POSTS)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, trust_env=False))
        connection = await stack.enter_async_context(await aio_pika.connect(environ["AMQP_URL"]))
        publishing = await connection.channel()
        events = await publishing.get_exchange(EVENTS)
        consuming = await connection.channel(publisher_confirms=False)
        await consuming.set_qos(prefetch_count=PREFETCH)
        queue = await consuming.declare_queue(QUEUE, durable=True, arguments=QUEUE_ARGUMENTS)
        reference = Reference(client["bench_reference"]["messages"], http, environ[URL_VARIABLE], events)
        await queue.consume(reference.on_command)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(run(os.environ))
