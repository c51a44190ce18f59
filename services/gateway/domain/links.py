"""Links that callers give: for media (Meta fetches them) and for buttons (the recipient opens them)."""

import re
from urllib.parse import urlsplit

LONGEST_LINK = 2000  # Meta's limit for a URL in a template; no longer one is useful in a message

_PLAIN = re.compile(r"[\x21-\x7e\x80-\U0010ffff]+")  # no space, no control character
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def is_media_link(link: str, *, allow_loopback_http: bool) -> bool:
    """Whether Meta could fetch it: https, or (on a developer's machine) http to that same machine."""
    scheme, host = _parts(link)
    return scheme == "https" or (scheme == "http" and allow_loopback_http and host in _LOOPBACK_HOSTS)


def is_web_link(link: str) -> bool:
    """Whether a browser could open it."""
    return _parts(link)[0] in {"http", "https"}


def _parts(link: str) -> tuple[str, str]:
    """Scheme and host; both empty when it is no link."""
    if not _PLAIN.fullmatch(link):
        return "", ""
    try:
        parts = urlsplit(link)
        _ = parts.port  # read for its check alone: a port that is no number raises
    except ValueError:
        return "", ""
    return (parts.scheme.lower(), parts.hostname) if parts.hostname else ("", "")
