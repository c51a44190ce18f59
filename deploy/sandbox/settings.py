"""What can be configured; the only place in the sandbox that reads the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class SettingsError(ValueError):
    """The environment does not allow the sandbox to start; the text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen, whom to call, and how to sign."""

    host: str
    port: int
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    webhook_url: str
    app_id: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings, or raise `SettingsError` with the one line that says what is wrong."""
        if environ.get("ENVIRONMENT") == "production":
            raise SettingsError("the sandbox does not start when ENVIRONMENT=production")
        # Two secrets are live during a rotation; Meta signs with the newest, which stands first.
        app_secret = environ.get("META_APP_SECRET", "").split(",")[0].strip()
        if not app_secret:
            raise SettingsError("META_APP_SECRET is not set; the sandbox signs its webhooks with it")
        host, port = _split_bind(environ.get("SANDBOX_BIND") or "127.0.0.1:4010")
        return cls(
            host=host,
            port=port,
            app_secret=app_secret,
            verify_token=environ.get("META_VERIFY_TOKEN", ""),
            webhook_url=environ.get("SANDBOX_WEBHOOK_URL") or "http://127.0.0.1:4002/webhooks/meta",
            app_id=environ.get("META_APP_ID") or "634974688087057",
        )


def _split_bind(bind: str) -> tuple[str, int]:
    host, separator, port = bind.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65_535:
        raise SettingsError(f"SANDBOX_BIND must be host:port, not {bind!r}")
    return host, int(port)
