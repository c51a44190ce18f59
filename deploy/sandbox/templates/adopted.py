"""The approved templates every account starts with: one of each kind that a sender must get right."""

from typing import Any

_IMAGE = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1hZ2UvanBlZw==:sandbox"]}}


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
    button = _url("View", "https://shop.example.com/{{1}}", slug)
    return {"components": [_IMAGE, _body("{{1}} at its best", product), _buttons(_quick_reply("More"), button)]}


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
            "summer_sale",
            "MARKETING",
            _IMAGE,
            _body("Hi {{1}}, everything is {{2}} off this week!", "Ana", "25 %"),
            {"type": "FOOTER", "text": "Reply STOP to opt out"},
            _buttons(_url("Shop now", "https://shop.example.com/sale")),
        ),
        _row(
            "flash_offer",
            "MARKETING",
            _IMAGE,
            {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon!", "has_expiration": True}},
            _body("Hi {{1}}, take this code while it lasts.", "Ana"),
            _buttons(
                {"type": "COPY_CODE", "text": "Copy code", "example": "CARIBE25"},
                _url("Book", "https://shop.example.com/offer?ref={{1}}", "n3mtql"),
            ),
        ),
        _row(
            "product_carousel",
            "MARKETING",
            _body("Hi {{1}}, look at these.", "Ana"),
            {"type": "CAROUSEL", "cards": [_card("Aloe", "aloe"), _card("Crassula", "crassula")]},
        ),
    ]
