"""Files that customers send: named by an id, behind a link that asks for a token."""

import base64
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("image", "video", "audio", "document", "sticker")

# The smallest PNG there is, one pixel; other kinds get a few bytes that say what they stand for.
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_TYPES = {
    "image": "image/png",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file."""

    data: bytes
    mime_type: str

    @property
    def sha256(self) -> str:
        """As Meta writes it in webhooks."""
        return base64.b64encode(hashlib.sha256(self.data).digest()).decode()


@dataclass(frozen=True, slots=True)
class Files:
    """All files since the start or the last reset."""

    rng: random.Random
    _files: dict[str, File] = field(default_factory=dict)

    def taken(self, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """A customer's media object with a file behind it: their `data` (base64), or something small."""
        rest = {key: value for key, value in content.items() if key != "data"}
        data = base64.b64decode(content["data"]) if "data" in content else _sample(kind)
        file = File(data, str(content.get("mime_type", _TYPES[kind])))
        file_id = str(self.rng.randrange(10**15, 10**16))
        self._files[file_id] = file
        return {"id": file_id, "mime_type": file.mime_type, "sha256": file.sha256, **rest}

    def find(self, file_id: str) -> File | None:
        """One file."""
        return self._files.get(file_id)

    def reset(self) -> None:
        """Forget everything."""
        self._files.clear()


def _sample(kind: str) -> bytes:
    return _PNG if kind == "image" else f"a {kind} of the sandbox".encode()
