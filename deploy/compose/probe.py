"""`python -m deploy.compose.probe URL`: a container's health check, since a slim image has no curl."""

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 4  # less than the health check's own, so that this process always ends by itself


def is_healthy(url: str) -> bool:
    """Whether a GET of an http URL is answered with 200 in time; never through a proxy."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_healthy(sys.argv[1]) else 1)
