"""The approved templates every account starts with: one of each kind that a sender must get right.

Their names and variables are those of the external send API's examples, so that every example can be tried as it is.
"""

from typing import Any

_CODE_BUTTON = {"type": "COPY_CODE", "text": "Copy offer code", "example": "FLASH30"}
_OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon!", "has_expiration": True}}


def _header(kind: str) -> dict[str, Any]:
    header = {"type": "HEADER", "format": kind}
    return header if kind == "LOCATION" else header | {"example": {"header_handle": ["4::c2FuZGJveA==:sandbox"]}}


def _body(text: str, *examples: str) -> dict[str, Any]:
    example = {"example": {"body_text": [list(examples)]}} if examples else {}
    return {"type": "BODY", "text": text, **example}


def _buttons(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(buttons)}


def _url(text: str, url: str, *examples: str) -> dict[str, Any]:
    return {"type": "URL", "text": text, "url": url} | ({"example": list(examples)} if examples else {})


def _quick_reply(text: str) -> dict[str, Any]:
    return {"type": "QUICK_REPLY", "text": text}


def _row(name: str, category: str, *components: dict[str, Any], language: str = "en_US") -> dict[str, Any]:
    return {"name": name, "language": language, "category": category, "components": list(components)}


def otp_button(text: str) -> dict[str, Any]:
    """A copy-code button as Meta gives it back: turned into a URL button with one variable."""
    url = "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"
    return _url(text, url, url.replace("{{1}}", "123456"))


def _named() -> dict[str, Any]:
    examples = [
        {"param_name": "customer_name", "example": "Ana"},
        {"param_name": "order_id", "example": "A-1042"},
    ]
    text = "Hi {{customer_name}}, your order {{order_id}} has been shipped."
    body = {"type": "BODY", "text": text, "example": {"body_text_named_params": examples}}
    return _row("order_shipped", "UTILITY", body) | {"parameter_format": "NAMED"}


def _card(product: str, slug: str) -> dict[str, Any]:
    link = _url("View", "https://shop.example.com/p/{{1}}", slug)
    text = _body("{{1}} for only {{2}} today.", product, "$19")
    return {"components": [_header("IMAGE"), text, _buttons(_quick_reply("Buy now"), link)]}


def _sale(name: str, *header: dict[str, Any], link: dict[str, Any]) -> dict[str, Any]:
    text = _body("Use code {{1}} and save {{2}} today.", "FLASH30", "30%")
    return _row(name, "MARKETING", *header, _OFFER, text, _buttons(_CODE_BUTTON, link))


def first_templates() -> list[dict[str, Any]]:
    """Fresh rows, ready for `Templates.add`."""
    return [
        _row(
            "hello_world",
            "UTILITY",
            {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
            _body("Welcome and congratulations! This message demonstrates your ability to send a template message."),
            {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
        ),
        _row(
            "order_confirmation",
            "UTILITY",
            _body("Hi {{1}}, your order {{2}} is confirmed and arrives {{3}}. Thank you!", "Ana", "A-1042", "Friday"),
        ),
        _row("welcome_message", "UTILITY", _body("Welcome {{1}}, it is good to have you with us.", "Ana")),
        _row(
            "otp_message",
            "AUTHENTICATION",
            _body("*{{1}}* is your verification code. For your security, do not share this code.", "123456"),
            {"type": "FOOTER", "text": "This code expires in 10 minutes."},
            _buttons(otp_button("Copy code")),
        ),
        _row(
            "feedback_request",
            "UTILITY",
            _body("Hi {{1}}, how was your order with us?", "Ana"),
            _buttons(_quick_reply("Good"), _quick_reply("Bad")),
        ),
        _row(
            "track_order",
            "UTILITY",
            _body("Hi {{1}}, your parcel is on its way.", "Ana"),
            _buttons(_url("Track", "https://shop.example.com/track/{{1}}", "A-1042")),
        ),
        _named(),
        _row("appointment_reminder", "UTILITY", _body("Hi {{1}}, see you on {{2}} at our place.", "Ana", "Friday")),
        _row(
            "appointment_reminder",
            "UTILITY",
            _body("প্রিয় {{1}}, আপনার সাক্ষাৎ {{2}} তারিখে।", "আনা", "শুক্রবার"),
            language="bn",
        ),
        _row(
            "product_promo",
            "MARKETING",
            _header("IMAGE"),
            _body("Our {{1}} is here: save {{2}} today!", "Summer Sale", "40%"),
            {"type": "FOOTER", "text": "Reply STOP to opt out"},
            _buttons(_url("Shop now", "https://shop.example.com/sale")),
        ),
        _row("promo_video", "MARKETING", _header("VIDEO"), _body("Watch our {{1}} now.", "Exclusive Offer")),
        _row(
            "invoice_ready",
            "UTILITY",
            _header("DOCUMENT"),
            _body("Hello {{1}}, your invoice for {{2}} is ready. Total: {{3}}.", "Ana", "March", "$50"),
        ),
        _row("store_location", "UTILITY", _header("LOCATION"), _body("Here is how you find us.")),
        _sale("flash_sale", link=_url("Shop now", "https://shop.example.com/sale")),
        _sale("flash_sale_banner", _header("IMAGE"), link=_url("Shop now", "https://shop.example.com/sale")),
        _sale(
            "flash_sale_full",
            _header("IMAGE"),
            link=_url("Shop now", "https://shop.example.com/sale{{1}}", "?coupon=FLASH30"),
        ),
        _row(
            "product_carousel",
            "MARKETING",
            _body("Our picks of the week for you."),
            {"type": "CAROUSEL", "cards": [_card("Wireless Earbuds", "earbuds"), _card("Smart Watch", "watch")]},
        ),
    ]
