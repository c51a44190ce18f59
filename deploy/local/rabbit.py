"""A RabbitMQ broker of our own from Debian's package: our directories, ports and cookie, no system service."""

import hashlib
import secrets
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.mongod import ServerMissingError
from deploy.local.ports import Ports, require_free
from deploy.local.processes import Program, wait_until

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
EPMD = Path("/usr/bin/epmd")
ERL_CALL = Path("/usr/bin/erl_call")
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01"  # the broker's Connection.Start; anything else is a refusal or no broker at all

CONFIGURATION = """\
listeners.tcp.local = 127.0.0.1:{port}
loopback_users.guest = true
# A laptop runs more than a broker: publishers wait before it takes a third of the memory or the last of the disk.
vm_memory_high_watermark.relative = 0.3
disk_free_limit.absolute = 256MB
raft.wal_max_size_bytes = 67108864
log.console = true
log.console.level = info
log.file = false
"""


@dataclass(frozen=True, slots=True)
class Rabbit:
    """One broker on its ports and a directory; started again on both, it goes on where it was."""

    root: Path
    ports: Ports

    @property
    def url(self) -> str:
        """The address for clients. The default guest may come in from this machine only."""
        return self.vhost_url("")

    @property
    def node(self) -> str:
        """The node's name, its own for each directory."""
        return f"waapi-{hashlib.sha256(bytes(self.home)).hexdigest()[:8]}@localhost"

    @property
    def home(self) -> Path:
        """Where the broker keeps everything: data, configuration, cookie."""
        return self.root.absolute() / "rabbitmq"

    @property
    def pid_file(self) -> Path:
        """Where the broker's process is written down."""
        return self.root / "run" / "rabbitmq.pid"

    @property
    def epmd_pid_file(self) -> Path:
        """Where the process of Erlang's name service is written down."""
        return self.root / "run" / "epmd.pid"

    def programs(self) -> list[Program]:
        """What has to run, in this order. Writes the configuration. ServerMissingError if it is not installed."""
        if not SERVER.exists():
            raise ServerMissingError("RabbitMQ is not installed: apt-get install rabbitmq-server, or set AMQP_URL")
        self._write_files()
        log = self.root / "log"
        epmd = (str(EPMD), "-address", "127.0.0.1", "-port", str(self.ports.amqp_epmd))
        return [
            Program("epmd", epmd, self._environment(), log / "epmd.log", self.epmd_pid_file),
            Program("rabbitmq", (str(SERVER),), self._environment(), log / "rabbitmq.log", self.pid_file),
        ]

    def require_free_ports(self) -> None:
        """Raise PortTakenError if somebody else listens where we want to."""
        for port in (self.ports.amqp, self.ports.amqp_distribution, self.ports.amqp_epmd):
            require_free(port, f"LOCAL_AMQP_PORT (now {self.ports.amqp})")

    def is_ready(self) -> bool:
        """Whether it speaks AMQP: its listeners open last, when everything else is up."""
        try:
            with socket.create_connection(("127.0.0.1", self.ports.amqp), timeout=2) as connection:
                connection.sendall(PROTOCOL_HEADER)
                return connection.recv(1) == METHOD_FRAME
        except OSError:
            return False

    def wait_until_ready(self, timeout_seconds: float = 60) -> bool:
        """Wait until it speaks AMQP; False if the time is over first."""
        return wait_until(self.is_ready, timeout_seconds)

    def vhost_url(self, vhost: str) -> str:
        """The address of one virtual host; the empty name is the default one."""
        return f"amqp://guest:guest@127.0.0.1:{self.ports.amqp}/{vhost}"

    def add_vhost(self, name: str) -> None:
        """Make a virtual host that guest may use: a broker within the broker, as every test gets one."""
        self.evaluate(f"""
            ok = rabbit_vhost:add(<<"{name}">>, <<"local">>),
            rabbit_auth_backend_internal:set_permissions(
                <<"guest">>, <<"{name}">>, <<".*">>, <<".*">>, <<".*">>, <<"local">>).""")

    def delete_vhost(self, name: str) -> None:
        """Remove a virtual host with everything in it."""
        self.evaluate(f'rabbit_vhost:delete(<<"{name}">>, <<"local">>).')

    def evaluate(self, expressions: str) -> str:
        """Run Erlang expressions inside the broker. Takes milliseconds where `rabbitmqctl eval` takes seconds."""
        # A name of its own: the one that erl_call draws is the same for all that are started in the same second, and
        # the broker talks to only one of them.
        caller = f"call-{secrets.token_hex(8)}"
        done = subprocess.run(
            (str(ERL_CALL), "-h", caller, "-n", self.node, "-e"),
            input=expressions.strip() + "\n",
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if done.returncode != 0 or not done.stdout.startswith("{ok,"):
            raise RuntimeError(f"the broker refused {expressions.strip()!r}: {done.stdout}{done.stderr}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """Everything that Debian's scripts would otherwise take from the system."""
        return {
            "HOME": str(self.home),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.ports.amqp_epmd),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.ports.amqp),
            "RABBITMQ_DIST_PORT": str(self.ports.amqp_distribution),
            "RABBITMQ_MNESIA_BASE": str(self.home / "data"),
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(self.home / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.home / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(self.home / "node.pid"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            # Its schedulers sleep when there is nothing to do: everything here shares a few cores.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} "
            "+sbwt none +sbwtdcpu none +sbwtdio none",
            # Lets the start script turn into the broker itself, so that the pid that we know is the broker's.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _write_files(self) -> None:
        for name in ("data", "log"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        (self.home / "rabbitmq.conf").write_text(CONFIGURATION.format(port=self.ports.amqp))
        (self.home / "enabled_plugins").write_text("[].\n")
        cookie = self.home / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(mode=0o600)
            cookie.write_text(secrets.token_hex(20))
            cookie.chmod(0o400)  # Erlang refuses one that others may read
