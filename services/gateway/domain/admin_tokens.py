"""Operators' tokens: short-lived JSON Web Tokens under one secret, one algorithm."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt

from shared.errors import PermissionDeniedError, UnauthenticatedError

MAX_LIFETIME = timedelta(hours=24)
LEEWAY = timedelta(seconds=30)  # clocks differ
MIN_SECRET_BYTES = 32  # RFC 7518, 3.2: a key of the hash's size for HS256

_REQUIRED = ("sub", "role", "iat", "exp")


@dataclass(frozen=True, slots=True)
class Operator:
    """Who holds a token; a token without an id (`jti`) can only be outlived, not taken back."""

    name: str
    token_id: str | None


@dataclass(frozen=True, slots=True, repr=False)
class AdminTokens:
    """What operators' tokens are checked with; audience and issuer only where they are configured."""

    secret: str
    audience: str | None = None
    issuer: str | None = None

    def verify(self, token: str) -> Operator:
        """The operator.

        Raises UnauthenticatedError for a token that does not hold, PermissionDeniedError when its role is not `admin`.
        """
        claims = self._claims(token)
        if int(claims["exp"]) - int(claims["iat"]) > MAX_LIFETIME.total_seconds():
            raise UnauthenticatedError("The admin token lives longer than 24 hours", code="invalid_token")
        if claims["role"] != "admin":
            raise PermissionDeniedError("The admin token does not carry the role admin", code="role_missing")
        token_id = claims.get("jti")
        return Operator(str(claims["sub"]), token_id if isinstance(token_id, str) else None)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            options: Any = {"require": list(_REQUIRED), "verify_aud": self.audience is not None}
            claims: dict[str, Any] = jwt.decode(
                token,
                self.secret,
                algorithms=["HS256"],
                audience=self.audience,
                issuer=self.issuer,
                options=options,
                leeway=LEEWAY,
            )
            int(claims["exp"]), int(claims["iat"])
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise UnauthenticatedError("The admin token is not valid", code="invalid_token") from None
        return claims
