"""Meta's errors: the codes it uses, and how one looks in an HTTP answer and in a status webhook."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """What Meta calls a code, and the HTTP status it comes with when it is answered at once."""

    title: str
    http_status: int = 400


CATALOGUE: Mapping[int, ErrorKind] = {
    0: ErrorKind("AuthException", 401),
    1: ErrorKind("API Unknown"),
    2: ErrorKind("API Service", 503),
    3: ErrorKind("API Method", 500),
    4: ErrorKind("Application request limit reached"),
    10: ErrorKind("Application does not have permission for this action", 403),
    33: ErrorKind("Parameter value is not valid"),
    100: ErrorKind("Invalid parameter"),
    104: ErrorKind("Incorrect signature"),
    190: ErrorKind("Access token has expired", 401),
    192: ErrorKind("Invalid phone number"),
    200: ErrorKind("You do not have the necessary permissions required to send messages", 403),
    368: ErrorKind("Temporarily blocked for policies violations", 403),
    613: ErrorKind("Calls to this API have exceeded the rate limit"),
    80007: ErrorKind("Rate limit issues"),
    80008: ErrorKind("There have been too many calls to this WhatsApp Business account"),
    130403: ErrorKind("Business has blocked the user"),
    130429: ErrorKind("Rate limit hit"),
    130472: ErrorKind("User's number is part of an experiment"),
    130497: ErrorKind("Business account is restricted from messaging users in this country", 403),
    131000: ErrorKind("Something went wrong", 500),
    131005: ErrorKind("Access denied", 403),
    131008: ErrorKind("Required parameter is missing"),
    131009: ErrorKind("Parameter value is not valid"),
    131016: ErrorKind("Service unavailable", 500),
    131021: ErrorKind("Recipient cannot be sender"),
    131026: ErrorKind("Message undeliverable"),
    131030: ErrorKind("Recipient phone number not in allowed list"),
    131031: ErrorKind("Account has been locked", 403),
    131037: ErrorKind("WhatsApp provided number needs display name approval before message can be sent"),
    131042: ErrorKind("Business eligibility payment issue"),
    131045: ErrorKind("Incorrect certificate", 500),
    131047: ErrorKind("Re-engagement message"),
    131048: ErrorKind("Spam rate limit hit"),
    131049: ErrorKind("This message was not delivered to maintain healthy ecosystem engagement."),
    131050: ErrorKind("User has stopped receiving marketing messages from this business"),
    131051: ErrorKind("Unsupported message type"),
    131052: ErrorKind("Media download error"),
    131053: ErrorKind("Media upload error"),
    131056: ErrorKind("(Business Account, Consumer Account) pair rate limit hit"),
    131057: ErrorKind("Account in maintenance mode", 500),
    131059: ErrorKind("Invalid paging cursor"),
    131062: ErrorKind("Business-scoped User ID (BSUID) recipients are not supported for this message"),
    131063: ErrorKind("Marketing templates are disabled for Cloud API"),
    131064: ErrorKind("Messaging limit due to template misclassification"),
    132000: ErrorKind("Number of parameters does not match the expected number of params"),
    132001: ErrorKind("Template name does not exist in the translation", 404),
    132005: ErrorKind("Translated text too long"),
    132007: ErrorKind("Template format character policy violated"),
    132012: ErrorKind("Parameter format does not match format in the created template"),
    132015: ErrorKind("Template is paused"),
    132016: ErrorKind("Template is disabled"),
    132018: ErrorKind("There\u2019s an issue with the parameters in your template"),
    132068: ErrorKind("Flow is blocked"),
    132069: ErrorKind("Flow is throttled"),
    133000: ErrorKind("Incomplete deregistration", 500),
    133004: ErrorKind("Server temporarily unavailable", 503),
    133010: ErrorKind("Phone number not registered"),
    133016: ErrorKind("Account register deregister rate limit exceeded"),
    134011: ErrorKind("WhatsApp Payments terms of service has not been accepted"),
    135000: ErrorKind("Generic user error"),
    137000: ErrorKind("Recipient identity key mismatch"),
}

DETAILS: Mapping[int, str] = {
    130429: "Message failed to send because there were too many messages sent from this phone number in a short "
    "period of time",
    131000: "Message failed to send due to an unknown error.",
    131026: "Message Undeliverable.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied to this "
    "number.",
    131048: "Message failed to send because there are restrictions on how many messages can be sent from this phone "
    "number.",
    131049: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    131053: "Media upload error",
    131056: "Message failed to send because there were too many messages sent from this phone number to the same "
    "phone number in a short period of time.",
    132015: "Template is paused due to low quality so it cannot be sent in a template message.",
    132016: "Template was paused too many times due to low quality and is now permanently disabled.",
}

TRANSIENT_CODES = frozenset({1, 2, 4})
ERROR_PAGE = "/documentation/business-messaging/whatsapp/support/error-codes"


class GraphError(Exception):
    """A call that Meta refuses: code, and what its envelope says beside it.

    `details` is the text of `error_data.details`; without it the envelope has no `error_data`, as Meta's schema
    errors have none. `message` replaces the usual "(#code) title".
    """

    def __init__(
        self,
        code: int,
        details: str | None = None,
        *,
        message: str | None = None,
        subcode: int | None = None,
        http_status: int | None = None,
        error_type: str = "OAuthException",
        user_title: str | None = None,
        user_message: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        kind = CATALOGUE.get(code, ErrorKind("Generic user error"))
        self.code = code
        self.details = details
        self.message = message or f"(#{code}) {kind.title}"
        self.subcode = subcode
        self.http_status = http_status or kind.http_status
        self.error_type = error_type
        self.user_title = user_title
        self.user_message = user_message
        self.headers = headers or {}
        super().__init__(self.message)

    def envelope(self) -> dict[str, Any]:
        """The JSON body of the answer, with a fresh trace id."""
        error: dict[str, Any] = {"message": self.message, "type": self.error_type, "code": self.code}
        if self.details is not None:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        optional = {
            "error_subcode": self.subcode,
            "is_transient": True if self.code in TRANSIENT_CODES else None,
            "error_user_title": self.user_title,
            "error_user_msg": self.user_message,
        }
        error |= {name: value for name, value in optional.items() if value is not None}
        return {"error": error | {"fbtrace_id": "A" + secrets.token_urlsafe(16)}}


def unknown_object(object_id: str, method: str = "post") -> GraphError:
    """What a wrong id, or a token of another business, is told."""
    return GraphError(
        100,
        message=f"Unsupported {method} request. Object with ID '{object_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        subcode=33,
        error_type="GraphMethodException",
    )


def webhook_error(code: int) -> dict[str, Any]:
    """An element of `statuses[].errors[]`, whose shape differs from the HTTP envelope's."""
    title = CATALOGUE.get(code, ErrorKind("Generic user error")).title
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": DETAILS.get(code, title)},
        "href": ERROR_PAGE,
    }
