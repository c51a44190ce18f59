"""Errors that mean something to a caller, each with the HTTP status it becomes.

They cross the bus as `ErrorReply` (shared/contracts/base.py) and are rebuilt on the other side by class name.
"""

from typing import Any, ClassVar


class WaapiError(Exception):
    """Anything a caller can be told.

    `code` is a stable snake_case name; `details` lists `{"field", "message"}` pairs; `retry_after_seconds` becomes
    the `Retry-After` header.
    """

    http_status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: list[dict[str, Any]] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.details = details or []
        self.retry_after_seconds = retry_after_seconds


class InvalidInputError(WaapiError):
    """The request itself is wrong; sending it again unchanged cannot succeed."""

    http_status = 400
    default_code = "invalid_request"


class UnauthenticatedError(WaapiError):
    """No credential, or one that does not hold."""

    http_status = 401
    default_code = "unauthenticated"


class InsufficientCreditsError(WaapiError):
    """The user's free credits do not cover the work."""

    http_status = 402
    default_code = "insufficient_credits"


class PermissionDeniedError(WaapiError):
    """The credential holds, but not for this."""

    http_status = 403
    default_code = "permission_denied"


class NotFoundError(WaapiError):
    """No such thing for this caller; a foreign one looks the same."""

    http_status = 404
    default_code = "not_found"


class ConflictError(WaapiError):
    """The present state forbids it."""

    http_status = 409
    default_code = "conflict"


class PayloadTooLargeError(WaapiError):
    """The body is larger than the route takes."""

    http_status = 413
    default_code = "payload_too_large"


class UnsupportedMediaTypeError(WaapiError):
    """The body is not of a type the route takes."""

    http_status = 415
    default_code = "unsupported_media_type"


class MisdirectedRequestError(WaapiError):
    """The Host header names none of ours."""

    http_status = 421
    default_code = "misdirected_request"


class IdempotencyMismatchError(WaapiError):
    """The same idempotency key came with another body."""

    http_status = 422
    default_code = "idempotency_key_reused"


class RateLimitedError(WaapiError):
    """Too many requests; `retry_after_seconds` says when to come back."""

    http_status = 429
    default_code = "rate_limited"


class UpstreamRejectedError(WaapiError):
    """Meta (or another neighbour) understood the request and refused it: an expected outcome."""

    http_status = 502
    default_code = "upstream_rejected"


class UpstreamUnavailableError(WaapiError):
    """A neighbour outside the product could not be reached, or did not answer in its own terms."""

    http_status = 502
    default_code = "upstream_unavailable"


class ServiceUnavailableError(WaapiError):
    """Our own broker, database or a service is away; nothing was done."""

    http_status = 503
    default_code = "service_unavailable"

    def __init__(self, message: str, *, retry_after_seconds: int = 5, **rest: Any) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds, **rest)


class BusUnavailableError(ServiceUnavailableError):
    """The broker did not take the message; nothing was handed over."""


class ReplyTimeoutError(WaapiError):
    """The message was handed over, but no answer came in time: the work goes on."""

    http_status = 504
    default_code = "reply_timeout"


class InternalError(WaapiError):
    """A fault of ours; the text stays neutral and the log holds the rest."""


BY_NAME: dict[str, type[WaapiError]] = {
    error.__name__: error
    for error in (
        InvalidInputError,
        UnauthenticatedError,
        InsufficientCreditsError,
        PermissionDeniedError,
        NotFoundError,
        ConflictError,
        PayloadTooLargeError,
        UnsupportedMediaTypeError,
        MisdirectedRequestError,
        IdempotencyMismatchError,
        RateLimitedError,
        UpstreamRejectedError,
        UpstreamUnavailableError,
        ServiceUnavailableError,
        BusUnavailableError,
        ReplyTimeoutError,
        InternalError,
    )
}
