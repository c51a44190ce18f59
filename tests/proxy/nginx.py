"""Debian's nginx as an instance of our own: the files of deploy/proxy, on free ports, in a directory of the test's."""

import getpass
import shutil
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.ports import free_ports
from deploy.local.processes import Program, find, spawn, stop, wait_until
from tests.proxy.certificates import make_certificates

BINARY = Path("/usr/sbin/nginx")
FILES = Path(__file__).parent.parent.parent / "deploy" / "proxy"

# What Debian's own nginx.conf is around our files; root would otherwise give its work to a user who cannot enter here.
MAIN = """\
daemon off;
user {user};
worker_processes 1;
pid nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxied;
    fastcgi_temp_path unused1;
    uwsgi_temp_path unused2;
    scgi_temp_path unused3;
    include conf.d/*.conf;
}}
"""


class NginxError(Exception):
    """There is no nginx, or it does not start. The text says what to do, or what nginx said."""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx."""

    root: Path
    http: str
    https: str

    @classmethod
    @contextmanager
    def running(
        cls, root: Path, upstreams: Mapping[int, int], changes: Mapping[str, str] | None = None
    ) -> Iterator[Self]:
        """nginx under `root`, its upstreams' documented ports replaced by others; `changes` are more replacements."""
        plain, encrypted = free_ports(2)
        make_certificates(root)
        _write_configuration(root, _replacements(root, plain, encrypted, upstreams) | dict(changes or {}))
        log, pid_file = root / "nginx.log", root / "run" / "nginx.pid"
        argv = (_binary(), "-p", str(root), "-c", str(root / "nginx.conf"), "-e", str(root / "waapi-error.log"))
        spawn(Program("nginx", argv, {}, log, pid_file))
        try:
            wait_until(lambda: _listens(encrypted) or find(pid_file) is None, timeout_seconds=10)
            if find(pid_file) is None:
                raise NginxError(log.read_text() + (root / "waapi-error.log").read_text())
            yield cls(root, f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{encrypted}")
        finally:
            stop([pid_file], timeout_seconds=30)

    @property
    def trust(self) -> ssl.SSLContext:
        """What a caller needs to trust its certificate."""
        return ssl.create_default_context(cafile=str(self.root / "authority.pem"))

    @property
    def operator(self) -> ssl.SSLContext:
        """The same for a caller who holds an operator's certificate."""
        context = self.trust
        context.load_cert_chain(self.root / "operator.pem", self.root / "operator.key")
        return context

    def logs(self) -> str:
        """Everything it has written."""
        return "".join(path.read_text() for path in sorted(self.root.glob("*.log")))


def _binary() -> str:
    if not BINARY.exists():
        raise NginxError("nginx is not installed: `make test` does it, or apt-get install nginx")
    return str(BINARY)


def _replacements(root: Path, plain: int, encrypted: int, upstreams: Mapping[int, int]) -> dict[str, str]:
    certificates = {
        "/etc/ssl/waapi/fullchain.pem": root / "site.pem",
        "/etc/ssl/waapi/privkey.pem": root / "site.key",
        "/etc/ssl/waapi/dashboard/fullchain.pem": root / "site.pem",
        "/etc/ssl/waapi/dashboard/privkey.pem": root / "site.key",
        "/etc/ssl/waapi/operators.pem": root / "authority.pem",
    }
    return {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl": f"listen 127.0.0.1:{encrypted} ssl",
        "/var/log/nginx/": f"{root}/",
        **{f"server 127.0.0.1:{port};": f"server 127.0.0.1:{ours};" for port, ours in upstreams.items()},
        **{name: str(path) for name, path in certificates.items()},
    }


def _write_configuration(root: Path, replacements: Mapping[str, str]) -> None:
    """Copy the files as they would be installed, and have every replacement take place at least once."""
    shutil.copytree(FILES / "snippets", root / "snippets")
    (root / "conf.d").mkdir()
    (root / "nginx.conf").write_text(MAIN.format(user=getpass.getuser()))
    unused = set(replacements)
    for source in (*FILES.glob("*.conf"), *FILES.glob("snippets/*.conf")):
        text = source.read_text()
        for old, new in replacements.items():
            unused -= {old} if old in text else set()
            text = text.replace(old, new)
        folder = "snippets" if source.parent.name == "snippets" else "conf.d"
        (root / folder / source.name).write_text(text)
    assert not unused, f"deploy/proxy has no line with {sorted(unused)}"


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0
