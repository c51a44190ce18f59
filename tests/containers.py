"""The broker and the database in containers, for machines where Docker answers and RabbitMQ is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import docker
from docker.errors import DockerException
from pymongo import MongoClient
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from deploy.local.processes import wait_until

RABBITMQ_IMAGE = "rabbitmq:4"
MONGODB_IMAGE = "mongo:7"


def docker_answers() -> bool:
    """Whether a Docker engine can be used from here."""
    try:
        client = docker.from_env(timeout=5)
    except DockerException:
        return False
    client.close()
    return True


@dataclass(frozen=True, slots=True)
class Containers:
    """A running RabbitMQ and a running MongoDB."""

    rabbitmq: DockerContainer
    mongodb: DockerContainer

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """Both, ready to use, for as long as the block lasts."""
        rabbitmq = DockerContainer(RABBITMQ_IMAGE).with_exposed_ports(5672)
        mongodb = DockerContainer(MONGODB_IMAGE).with_command("--replSet rs0 --bind_ip_all").with_exposed_ports(27017)
        rabbitmq.waiting_for(LogMessageWaitStrategy("Server startup complete"))
        mongodb.waiting_for(LogMessageWaitStrategy("Waiting for connections"))
        with rabbitmq, mongodb:
            containers = cls(rabbitmq, mongodb)
            containers.form_replica_set()
            yield containers

    @property
    def mongodb_url(self) -> str:
        """Direct, since the member's own name for itself is known only inside its container."""
        host, port = self.mongodb.get_container_host_ip(), self.mongodb.get_exposed_port(27017)
        return f"mongodb://{host}:{port}/?directConnection=true"

    def amqp_url(self, vhost: str) -> str:
        """The address of one virtual host; the empty name is the default one."""
        host, port = self.rabbitmq.get_container_host_ip(), self.rabbitmq.get_exposed_port(5672)
        return f"amqp://guest:guest@{host}:{port}/{vhost}"

    def form_replica_set(self) -> None:
        """Make the one node a replica set and wait until it can be written to."""
        member = {"_id": 0, "host": "127.0.0.1:27017"}
        client: MongoClient[dict[str, Any]] = MongoClient(self.mongodb_url)
        with client:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
            if not wait_until(lambda: client.admin.command("hello")["isWritablePrimary"], timeout_seconds=30):
                raise RuntimeError("the replica set in the container elected no primary")

    def add_vhost(self, name: str) -> str:
        """Make a virtual host that guest may use, and return its address."""
        self._control("add_vhost", name)
        self._control("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
        return self.amqp_url(name)

    def delete_vhost(self, name: str) -> None:
        """Remove a virtual host with everything in it."""
        self._control("delete_vhost", name)

    def _control(self, *arguments: str) -> None:
        done = self.rabbitmq.exec(["rabbitmqctl", *arguments])
        if done.exit_code != 0:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)}: {done.output!r}")
