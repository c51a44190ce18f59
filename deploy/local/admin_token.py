"""The token that opens /admin on this machine."""

import secrets
import time
from collections.abc import Mapping
from pathlib import Path

import jwt

LIFETIME_SECONDS = 3600


def admin_token(env: Mapping[str, str]) -> str:
    """A signed token of one hour for the operator.

    `env` is what `local_environment` computed, so it holds ADMIN_JWT_SECRET or ADMIN_JWT_SECRET_FILE.
    """
    secret = env.get("ADMIN_JWT_SECRET") or Path(env["ADMIN_JWT_SECRET_FILE"]).read_text(encoding="utf-8").strip()
    now = int(time.time())
    claims = {
        "sub": "operator",
        "role": "admin",
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "jti": secrets.token_hex(8),
    }
    return jwt.encode(claims, secret, algorithm="HS256")
