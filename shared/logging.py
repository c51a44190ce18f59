"""Structured logs without secrets: an event name in the past, keys beside it, tokens and phone numbers masked."""

import logging
import re
import sys
from typing import Any

import structlog

_DENIED_KEYS = frozenset(
    {
        "authorization",
        "access_token",
        "token",
        "api_token",
        "secret",
        "signature",
        "text",
        "variables",
        "body",
        "content",
    }
)
_SECRET = re.compile(
    r"EAA[A-Za-z0-9_-]{4,}|wak_[A-Za-z0-9_]{8,}|whsec_[A-Za-z0-9+/=_-]{8,}|sk-[A-Za-z0-9_-]{8,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_PHONE = re.compile(r"(?<![\w.])(\+[1-9]\d{2,3})\d{2,9}(\d{2})(?!\d)")
_QUIET_LOGGERS = ("aiormq", "aio_pika", "aiohttp.access", "httpx", "httpx2", "httpcore", "pymongo")


def mask(text: str) -> str:
    """Replace what looks like a token, a password in an address, or the middle of a phone number."""
    return _PHONE.sub(r"\1*****\2", _SECRET.sub("***", text))


def _mask_value(key: str, value: Any) -> Any:
    if key in _DENIED_KEYS:
        return "***"
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {inner: _mask_value(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask_value("", item) for item in value]
    return value


def mask_secrets(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Mask every value of a log line; runs last before rendering, so nothing passes beside it."""
    return {key: _mask_value(key, value) for key, value in event.items()}


def configure_logging(*, log_format: str, level: str) -> None:
    """Send structlog's and the libraries' lines to standard error in one form: `json` or `console`."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, mask_secrets, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask_secrets, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL if name in {"aiormq", "aio_pika"} else logging.WARNING)
