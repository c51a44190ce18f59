"""Signatures: Meta's on what it posts to us, ours on what we post to vendors."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError


def is_signed_by_meta(raw: bytes, header: str | None, app_secrets: Sequence[str]) -> bool:
    """Whether `X-Hub-Signature-256` holds for the exact bytes under one of the app's secrets.

    Source: Meta, webhooks, "Validating payloads": `sha256=` and the lower-case hex HMAC-SHA256 of the raw body.
    """
    given = (header or "").encode("utf-8", "surrogateescape")  # compare_digest takes text only when it is ASCII
    expected = [f"sha256={hex_signature(raw, secret)}".encode() for secret in app_secrets]
    return any([hmac.compare_digest(given, signature) for signature in expected])  # a list: no early way out


def hex_signature(body: bytes, secret: str) -> str:
    """The lower-case hex HMAC-SHA256 of the body; the key is the secret's text as it was shown."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed_headers(body: bytes, signing: Sequence[str], *, event_id: str, at: datetime) -> dict[str, str]:
    """The headers by which a vendor checks a webhook: our own, and those of Standard Webhooks (version 1).

    `signing` are the secrets, the present one first; while a secret rotates, the former one signs beside it. Raises
    ValueError when a secret is not `whsec_` and base64.
    """
    present, *former = signing
    headers = {
        "X-Webhook-Signature": hex_signature(body, present),
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(_standard_signature(body, secret, event_id, at) for secret in signing),
    }
    if former:
        headers["X-Webhook-Signature-Previous"] = hex_signature(body, former[0])
    return headers


def _standard_signature(body: bytes, secret: str, event_id: str, at: datetime) -> str:
    try:
        return str(Webhook(secret).sign(event_id, at, body.decode()))
    except EmptyWebhookSecretError as error:
        raise ValueError("the secret is empty") from error
