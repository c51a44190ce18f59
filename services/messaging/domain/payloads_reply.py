"""Messages into conversations of channels that know text alone: Instagram, and our own web chat.

Stored in the words of WhatsApp's messages, so that whoever reads a history needs to know one form.
"""

from typing import Any

import orjson

from shared.contracts.content import MessageContent, TextContent
from shared.errors import InvalidInputError

_INSTAGRAM_BYTES = 1000  # Meta counts bytes of UTF-8, not characters


def reply_payload(platform: str, to: str, content: MessageContent) -> dict[str, Any]:
    """The message as it is stored. Raises InvalidInputError for what the channel does not know."""
    if not isinstance(content, TextContent):
        raise InvalidInputError(f"On {platform} only text can be sent", code="text_only")
    if platform == "instagram" and len(content.text.encode()) > _INSTAGRAM_BYTES:
        raise InvalidInputError(f"text: Instagram takes at most {_INSTAGRAM_BYTES} bytes", code="text_too_long")
    return {"type": "text", "text": {"body": content.text}, "recipient": {"id": to}}


def instagram_body(stored: bytes) -> bytes:
    """The bytes that Instagram's `POST /{account}/messages` takes."""
    payload = orjson.loads(stored)
    return orjson.dumps({"recipient": payload["recipient"], "message": {"text": payload["text"]["body"]}})
