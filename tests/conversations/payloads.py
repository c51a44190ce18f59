"""Every payload that Meta documents for its webhooks, each as a whole post."""

from typing import Any

from tests.conversations.stage import SENDER
from tests.messaging.stage import META_ID, WABA

METADATA = {"display_phone_number": "15550783881", "phone_number_id": META_ID}
CONTACT = {"profile": {"name": "Sheena Nelson"}, "wa_id": SENDER}
ACCOUNT = "17841405822304914"
IG_USER = "1254459154682919"


def change(field: str, value: dict[str, Any]) -> dict[str, Any]:
    """A post with one change."""
    entry = {"id": WABA, "time": 1739321024, "changes": [{"field": field, "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def message(kind: str, part: Any = None, **beside: Any) -> dict[str, Any]:
    """A post with one message of a kind."""
    known: dict[str, Any] = {"from": SENDER, "id": f"wamid.{kind}", "timestamp": "1749416383", "type": kind}
    own = {} if part is None else {kind: part}
    value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": METADATA, "messages": [known | own | beside]}
    return change("messages", value if kind == "system" else value | {"contacts": [CONTACT]})


def instagram(**element: Any) -> dict[str, Any]:
    """A post of Instagram's with one element."""
    known = {"sender": {"id": IG_USER}, "recipient": {"id": ACCOUNT}, "timestamp": 1763740000001}
    entry = {"id": ACCOUNT, "time": 1763740000123, "messaging": [known | element]}
    return {"object": "instagram", "entry": [entry]}


def media(kind: str, **more: Any) -> dict[str, Any]:
    """A media message's own part."""
    known = {
        "mime_type": f"{kind}/x",
        "sha256": "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=",
        "id": "1003383421387256",
    }
    return known | {"url": "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=133"} | more


def interactive(kind: str, **reply: Any) -> dict[str, Any]:
    """A post with an answer to an interactive message."""
    context = {"from": "15550783881", "id": "wamid.out"}
    return message("interactive", {"type": kind, kind: reply}, context=context)


REFERRAL = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_type": "ad",
    "headline": "Chat with us",
    "ctwa_clid": "Aff",
}
UNSUPPORTED = [{"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}]
IDENTITY = {"acknowledged": True, "created_timestamp": "1739321024", "hash": "sEB="}
CARDS = [{"name": {"formatted_name": "Barbara J. Johnson"}, "phones": [{"phone": "+1 650-555-9999", "type": "MOBILE"}]}]
ORDER = {"catalog_id": "1948", "text": "Love these!", "product_items": [{"product_retailer_id": "di9", "quantity": 2}]}
PLACE = {"latitude": 37.44221, "longitude": -122.16153, "name": "Philz Coffee", "address": "101 Forest Ave"}
FLOW = '{"flow_token": "x", "k": "v"}'

# name: (post, the type it is kept as, what a person reads of it, whether an agent has to answer)
MESSAGES: dict[str, tuple[dict[str, Any], str, str | None, bool]] = {
    "text": (
        message("text", {"body": "Does it come in another color?"}),
        "text",
        "Does it come in another color?",
        True,
    ),
    "image": (message("image", media("image", caption="Taj Mahal")), "image", "Taj Mahal", True),
    "video": (message("video", media("video", caption="Look")), "video", "Look", True),
    "voice": (message("audio", media("audio", voice=True)), "audio", None, True),
    "document": (message("document", media("document", filename="plan.pdf", caption="Plan")), "document", "Plan", True),
    "sticker": (message("sticker", media("image", animated=True)), "sticker", None, True),
    "location": (message("location", PLACE), "location", "Philz Coffee, 101 Forest Ave", True),
    "contacts": (message("contacts", CARDS), "contacts", "Barbara J. Johnson", True),
    "reaction": (message("reaction", {"message_id": "wamid.out", "emoji": "👍"}), "reaction", "👍", False),
    "reaction_removed": (message("reaction", {"message_id": "wamid.out"}), "reaction", None, False),
    "button": (
        message("button", {"payload": "RATE_GOOD", "text": "Good"}, context={"from": "1555", "id": "wamid.out"}),
        "button",
        "Good",
        True,
    ),
    "button_reply": (interactive("button_reply", id="cancel-button", title="Cancel"), "interactive", "Cancel", True),
    "list_reply": (
        interactive("list_reply", id="express", title="Express", description="Fast"),
        "interactive",
        "Express",
        True,
    ),
    "flow": (interactive("nfm_reply", name="flow", body="Sent", response_json=FLOW), "interactive", "Sent", True),
    "call_permission": (interactive("call_permission_reply", response="accept"), "interactive", "accept", True),
    "order": (message("order", ORDER), "order", "Love these!", True),
    "number_changed": (
        message("system", {"body": "User changed", "wa_id": "12195555358", "type": "user_changed_number"}),
        "system",
        "User changed",
        False,
    ),
    "identity_changed": (
        message("system", {"body": "Identity", "type": "customer_identity_changed"}, identity=IDENTITY),
        "system",
        "Identity",
        False,
    ),
    "user_id_changed": (
        message("system", {"body": "Id", "user_id": "US.134", "type": "user_changed_user_id"}),
        "system",
        "Id",
        False,
    ),
    "unsupported": (message("unsupported", {"type": "edit"}, errors=UNSUPPORTED), "unsupported", None, False),
    "unsupported_of_old": (message("unsupported", errors=UNSUPPORTED), "unsupported", None, False),
    "quoted": (
        message("text", {"body": "This one"}, context={"from": "1555", "id": "wamid.out"}),
        "text",
        "This one",
        True,
    ),
    "forwarded": (message("text", {"body": "Read"}, context={"frequently_forwarded": True}), "text", "Read", True),
    "from_an_ad": (message("text", {"body": "Hi"}, referral=REFERRAL), "text", "Hi", True),
    "in_a_group": (message("text", {"body": "Hi"}, group_id="Y2FwaV9n"), "text", "Hi", True),
    "of_a_new_kind": (message("hologram", {"caption": "Wow"}), "hologram", "Wow", False),
    "instagram_text": (
        instagram(message={"mid": "aWdf1", "text": "Is it in stock?"}),
        "text",
        "Is it in stock?",
        False,
    ),
    "instagram_image": (
        instagram(
            message={"mid": "aWdf2", "attachments": [{"type": "image", "payload": {"url": "https://x.fbsbx.com/a"}}]}
        ),
        "image",
        None,
        False,
    ),
    "instagram_ephemeral": (
        instagram(message={"mid": "aWdf3", "attachments": [{"type": "ephemeral"}]}),
        "ephemeral",
        None,
        False,
    ),
    "instagram_quick_reply": (
        instagram(
            message={"mid": "aWdf4", "text": "ok", "quick_reply": {"payload": "YES"}, "reply_to": {"mid": "aWd0"}}
        ),
        "quick_reply",
        "ok",
        False,
    ),
    "instagram_story_reply": (
        instagram(message={"mid": "aWdf5", "text": "nice", "reply_to": {"story": {"id": "1", "url": "https://x"}}}),
        "text",
        "nice",
        False,
    ),
    "instagram_deleted": (instagram(message={"mid": "aWdf6", "is_deleted": True}), "deleted", None, False),
    "instagram_unsupported": (instagram(message={"mid": "aWdf7", "is_unsupported": True}), "unsupported", None, False),
    "instagram_reaction": (
        instagram(reaction={"mid": "aWd0", "action": "react", "reaction": "love", "emoji": "❤"}),
        "reaction",
        "❤",
        False,
    ),
    "instagram_postback": (
        instagram(postback={"mid": "aWdf8", "title": "Start", "payload": "START"}),
        "postback",
        "Start",
        False,
    ),
    "instagram_referral": (
        instagram(referral={"ref": "r", "source": "IG_ME_LINK", "type": "OPEN_THREAD"}),
        "referral",
        None,
        False,
    ),
}


def preference(value: str, timestamp: int = 1731705721) -> dict[str, Any]:
    """A post with a marketing preference."""
    told = {
        "wa_id": SENDER,
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": timestamp,
    }
    value_: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": METADATA, "contacts": [CONTACT]}
    return change("user_preferences", value_ | {"user_preferences": [told]})


DISPLAY = {"display_phone_number": "15550783881"}
RESTRICTION = [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1641330498}]
ALERT = {"alert_severity": "WARNING", "alert_status": "ACTIVE", "alert_type": "CAPABILITIES_DEFERRED"}

# name: (post, the word it is kept under, whether listeners hear of it, the rating and the limit that the number shows)
NOTICES: dict[str, tuple[dict[str, Any], str, bool, str | None, str | None]] = {
    "throughput": (
        change("phone_number_quality_update", DISPLAY | {"event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_10K"}),
        "THROUGHPUT_UPGRADE",
        True,
        None,
        "TIER_10K",
    ),
    "flagged": (change("phone_number_quality_update", DISPLAY | {"event": "FLAGGED"}), "FLAGGED", True, "RED", None),
    "unflagged": (
        change(
            "phone_number_quality_update",
            DISPLAY | {"event": "UNFLAGGED", "max_daily_conversations_per_business": 2000},
        ),
        "UNFLAGGED",
        True,
        "GREEN",
        "2000",
    ),
    "capability": (
        change(
            "business_capability_update",
            {"max_daily_conversations_per_business": 2000, "max_phone_numbers_per_waba": 25},
        ),
        "CAPABILITY_UPDATE",
        True,
        None,
        "2000",
    ),
    "violation": (
        change("account_update", {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "ADULT"}}),
        "ACCOUNT_VIOLATION",
        True,
        None,
        None,
    ),
    "disabled": (
        change("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}),
        "DISABLED_UPDATE",
        True,
        None,
        None,
    ),
    "restriction": (
        change("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": RESTRICTION}),
        "ACCOUNT_RESTRICTION",
        True,
        None,
        None,
    ),
    "review": (change("account_review_update", {"decision": "APPROVED"}), "APPROVED", False, None, None),
    "alert": (
        change("account_alerts", {"entity_type": "BUSINESS", "entity_id": "5069", "alert_info": ALERT}),
        "CAPABILITIES_DEFERRED",
        True,
        None,
        None,
    ),
    "name": (
        change(
            "phone_number_name_update", DISPLAY | {"decision": "APPROVED", "requested_verified_name": "Lucky Shrub"}
        ),
        "APPROVED",
        False,
        None,
        None,
    ),
    "security": (change("security", DISPLAY | {"event": "PIN_RESET_REQUEST"}), "PIN_RESET_REQUEST", False, None, None),
    "account_error": (
        change("messages", {"metadata": METADATA, "errors": [{"code": 130429, "title": "Rate limit hit"}]}),
        "130429",
        False,
        None,
        None,
    ),
}

# What is kept as bytes and counted, and nothing more.
OTHERS: dict[str, dict[str, Any]] = {
    "history": change("history", {"history": []}),
    "echo_of_the_app": change("smb_message_echoes", {"message_echoes": []}),
    "calls": change("calls", {"calls": []}),
    "instagram_echo": instagram(message={"mid": "aWdf9", "text": "Our own answer", "is_echo": True}),
}
