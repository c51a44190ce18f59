"""Which permission each message type needs: the table at the end of the external send API."""

from typing import Literal, get_args

Permission = Literal["send_text", "send_media", "send_template", "send_interactive", "read_templates"]

PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
DEFAULT_PERMISSIONS: tuple[Permission, ...] = ("send_text", "send_media", "send_template")

PERMISSION_FOR_TYPE: dict[str, Permission] = {
    "text": "send_text",
    "image": "send_media",
    "video": "send_media",
    "audio": "send_media",
    "document": "send_media",
    "template": "send_template",
    "carousel": "send_template",
    "interactive": "send_interactive",
}
