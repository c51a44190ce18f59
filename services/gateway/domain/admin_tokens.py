"""Operators' tokens: short-lived JSON Web Tokens under one secret, one algorithm."""

from datetime import timedelta
from typing import Any

import jwt

from shared.errors import PermissionDeniedError, UnauthenticatedError

MAX_LIFETIME = timedelta(hours=24)
LEEWAY = timedelta(seconds=30)  # clocks differ
MIN_SECRET_BYTES = 32  # RFC 7518, 3.2: a key of the hash's size for HS256

_REQUIRED = ("sub", "role", "iat", "exp")


def verify_admin_token(token: str, secret: str) -> str:
    """The operator's name (`sub`).

    Raises UnauthenticatedError for a token that does not hold, PermissionDeniedError when its role is not `admin`.
    """
    try:
        options: Any = {"require": list(_REQUIRED), "verify_aud": False}
        claims = jwt.decode(token, secret, algorithms=["HS256"], options=options, leeway=LEEWAY)
        lifetime = int(claims["exp"]) - int(claims["iat"])
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        raise UnauthenticatedError("The admin token is not valid", code="invalid_token") from None
    if lifetime > MAX_LIFETIME.total_seconds():
        raise UnauthenticatedError("The admin token lives longer than 24 hours", code="invalid_token")
    if claims["role"] != "admin":
        raise PermissionDeniedError("The admin token does not carry the role admin", code="role_missing")
    return str(claims["sub"])
