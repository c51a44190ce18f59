"""`python -m tests.bench.dramatiq_reference`: the bare job of a dispatcher as dramatiq does it, on threads.

One message a recipient: its claim is stored, it is posted to the sandbox's `/bench`, its result is stored, it is
announced with a confirmed event, and acknowledged. The same steps as `tests.bench.reference`, the same promises of the
database, and none of the product's; what differs is that nothing is done together. Everything is as fast as it can be
had: no middleware, kept connections, and the processes and threads that did best on two cores.
"""

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import dramatiq
import orjson
import pika
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from pymongo import MongoClient
from pymongo.collection import Collection

from shared.bus.topology import EVENTS
from shared.contracts.messaging import SendBatch
from shared.mongo import Document
from tests.bench.reference import ROUTING_KEY, URL_VARIABLE, claim_of, payload_of, sent_event

QUEUE = "bench.dramatiq.v1"
ACTOR = "send"
PROCESSES = 2
THREADS = 32

_PERSISTENT = pika.BasicProperties(delivery_mode=2)


@dataclass(frozen=True, slots=True)
class Sender:
    """One message from the queue to its announcement; dramatiq acknowledges."""

    messages: Collection[Document]
    broker: RabbitmqBroker
    url: str
    _own: threading.local = field(default_factory=threading.local)  # a connection for each thread

    def send(self, command: str) -> None:
        """Do it all, in order."""
        batch = SendBatch.model_validate_json(command)
        [item] = batch.items
        payload = payload_of(item)
        self.messages.insert_one(claim_of(batch, item, payload))
        wamid = self._post(payload)
        self.messages.update_one({"_id": item.message_id}, {"$set": {"state": "SENT", "wamid": wamid}})
        event = sent_event(batch, {item.message_id: wamid}).encode()
        self.broker.channel.basic_publish(EVENTS, ROUTING_KEY, event, _PERSISTENT)  # returns when it is confirmed

    def _post(self, payload: bytes) -> str:
        connection: HTTPConnection | None = getattr(self._own, "connection", None)
        target = urlsplit(self.url)
        if connection is None:
            connection = self._own.connection = HTTPConnection(target.netloc)
        connection.request("POST", target.path, payload)
        return str(orjson.loads(connection.getresponse().read())["messages"][0]["id"])


def declare(amqp_url: str) -> None:
    """Make the queues as dramatiq wants them, so that nothing is published before they are there."""
    broker = RabbitmqBroker(url=amqp_url, middleware=[])
    broker.declare_queue(QUEUE, ensure=True)
    broker.close()


def message_of(command: SendBatch) -> bytes:
    """A command of one recipient as dramatiq's messages look."""
    arguments = (command.model_dump_json(),)
    message: dramatiq.Message[Any] = dramatiq.Message(QUEUE, ACTOR, args=arguments, kwargs={}, options={})
    return message.encode()


def run(environ: Mapping[str, str]) -> None:
    """Work until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    client: MongoClient[Document] = MongoClient(environ["MONGODB_URL"], w="majority", journal=True)
    broker = RabbitmqBroker(url=environ["AMQP_URL"], confirm_delivery=True, middleware=[])
    sender = Sender(client["bench_dramatiq"]["messages"], broker, environ[URL_VARIABLE])
    dramatiq.actor(actor_name=ACTOR, queue_name=QUEUE, broker=broker)(sender.send)
    worker = dramatiq.Worker(broker, worker_threads=THREADS)
    worker.start()
    stop.wait()
    worker.stop()
    broker.close()
    client.close()


if __name__ == "__main__":
    run(os.environ)
