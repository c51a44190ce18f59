"""Templates and contents that the tests of this folder are made of."""

from datetime import UTC, datetime
from typing import Any

from services.messaging.domain.templates import ApprovedTemplate, approved_template
from shared.contracts.templates import ParameterFormat, Template

TO = "+919876543210"
NOW_MS = 1_790_000_000_000


def template(
    *components: dict[str, Any],
    name: str = "made",
    language: str = "en_US",
    category: str = "MARKETING",
    parameter_format: ParameterFormat = "positional",
    status: str = "APPROVED",
) -> Template:
    return Template(
        template_id="tpl_1",
        user_id="usr_1",
        phone_number_id="pn_1",
        waba_id="102290129340398",
        name=name,
        language=language,
        category=category,
        status=status,
        parameter_format=parameter_format,
        components=components,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def approved(*components: dict[str, Any], **rest: Any) -> ApprovedTemplate:
    return approved_template(template(*components, **rest))


def header(form: str, text: str | None = None) -> dict[str, Any]:
    return {"type": "HEADER", "format": form} | ({} if text is None else {"text": text})


def body(text: str) -> dict[str, Any]:
    return {"type": "BODY", "text": text}


def buttons(*given: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(given)}


def quick_reply(text: str) -> dict[str, Any]:
    return {"type": "QUICK_REPLY", "text": text}


def url(link: str = "https://shop.example.com/{{1}}", text: str = "Shop") -> dict[str, Any]:
    return {"type": "URL", "text": text, "url": link}


def carousel(*cards: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "CAROUSEL", "cards": [{"components": card} for card in cards]}


COPY_CODE = {"type": "COPY_CODE", "text": "Copy offer code"}
OTP = {"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}
PHONE = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "15550051310"}
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Expiring!", "has_expiration": True}}
CODE_BODY = {"type": "BODY", "text": "*{{1}}* is your verification code.", "add_security_recommendation": True}


def components_of(payload: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = payload["template"].get("components", [])
    return found
