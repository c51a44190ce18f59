"""The id of a template's button, by which a tap is traced to it in any language.

Messaging sends it as the payload of a quick reply, templates counts taps under it: both must come to the same id.
"""

import re
import unicodedata

_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")


def button_id(text: str, index: int, taken: set[str]) -> str:
    """A readable id for a button, unique among `taken` (which it joins): "Get Started" becomes get_started.

    A label without Latin letters or digits becomes button_<index>.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = _NOT_IN_IDS.sub("_", plain).strip("_") or f"button_{index}"
    unique, count = slug, 1
    while unique in taken:
        count += 1
        unique = f"{slug}_{count}"
    taken.add(unique)
    return unique
