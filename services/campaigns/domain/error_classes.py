"""Why recipients fail, in plain words, and what follows from it.

Source: Meta's "Error codes" page of the Cloud API. Whether a message may be posted again is decided in messaging; what
a campaign does about it is decided here.
"""

from dataclasses import dataclass
from typing import Final, Literal

Follow = Literal["give_up", "park", "suppress", "stop", "fail", "wait"]
"""`stop` pauses the campaign, `fail` ends it, `park` tries the recipient again a day later in a round of its own."""


@dataclass(frozen=True, slots=True)
class FailureClass:
    """One reason for failures: its stable name, what follows, and the words for people."""

    name: str
    follow: Follow
    meaning: str
    remedy: str


_UNDELIVERABLE = FailureClass(
    "undeliverable",
    "give_up",
    "The recipient is not on WhatsApp, has not accepted its terms, or uses a version that is too old.",
    "Check the phone number; remove it from your list if it stays unreachable.",
)
_CAPPED = FailureClass(
    "marketing_cap",
    "park",
    "Meta held the message back because this person gets many marketing messages.",
    "Nothing: it is tried again after 24 hours, at most twice.",
)
_STOPPED = FailureClass(
    "opted_out",
    "suppress",
    "The recipient does not want marketing messages from you.",
    "Nothing: the contact is left out of marketing from now on.",
)
_EXPERIMENT = FailureClass(
    "experiment",
    "give_up",
    "The recipient belongs to a group to which Meta delivers no marketing messages.",
    "Nothing: sending again gives the same.",
)
_BLOCKED = FailureClass("blocked", "give_up", "You have blocked this recipient.", "Unblock the recipient first.")
_COUNTRY = FailureClass(
    "country_restricted",
    "give_up",
    "Your business may not message people in this country.",
    "Remove recipients of this country.",
)
_PAUSED = FailureClass(
    "template_paused",
    "stop",
    "Meta has paused the template because of its quality.",
    "Wait: the campaign goes on by itself once the template is approved again.",
)
_DISABLED = FailureClass(
    "template_disabled",
    "fail",
    "The template does not exist any more, or Meta has disabled it for good.",
    "Create a new template and a new campaign.",
)
_MISFIT = FailureClass(
    "template_mismatch",
    "stop",
    "The values do not fit the approved template.",
    "Sync the templates, compare the campaign's values with the template, then resume.",
)
_TOKEN = FailureClass(
    "token_revoked",
    "stop",
    "Meta does not accept the phone number's access token, or it lacks a permission.",
    "Store a new access token for the phone number, then resume.",
)
_PAYMENT = FailureClass(
    "payment",
    "stop",
    "Meta cannot charge the WhatsApp Business Account.",
    "Settle the payment method in Meta's Business Manager, then resume.",
)
_ACCOUNT = FailureClass(
    "account_restricted",
    "stop",
    "Meta has restricted or locked the WhatsApp Business Account.",
    "See Meta's Business Support Home, then resume.",
)
_NUMBER = FailureClass(
    "number_unusable",
    "stop",
    "The phone number is not registered at Meta, or its display name is not approved.",
    "Verify the phone number, then resume.",
)
_SPAM = FailureClass(
    "spam_limit",
    "stop",
    "Meta limits the phone number because people have blocked or reported it, or the messaging limit is used up.",
    "Wait at least 24 hours and improve what you send, then resume.",
)
_MEDIA = FailureClass(
    "media",
    "give_up",
    "Meta could not fetch or read the media file.",
    "Check that its link is public and its type right.",
)
_VALUE = FailureClass(
    "invalid_value",
    "give_up",
    "A value of this recipient is not allowed: too long, or with line breaks, tabs or many spaces.",
    "Correct the recipient's values.",
)
_THROTTLED = FailureClass(
    "throttled",
    "wait",
    "Meta asked us to slow down until the campaign's time was over.",
    "Retry the failed recipients later.",
)
_UNKNOWN_OUTCOME = FailureClass(
    "outcome_unknown",
    "give_up",
    "The connection to Meta broke; only Meta knows whether the message was sent.",
    "Wait for a late status; retry with include_unknown only if a second message would do no harm.",
)
_EXPIRED = FailureClass("expired", "give_up", "The message could not be sent in time.", "Retry the failed recipients.")
_OTHER = FailureClass(
    "refused", "give_up", "Meta refused the message.", "See the code in Meta's list of errors, then retry."
)
ERROR_RATE: Final = FailureClass(
    "error_rate",
    "stop",
    "Too many of the latest messages failed.",
    "Look at error_classes, repair the cause, then resume.",
)

_BY_CODE: Final = {
    **dict.fromkeys((131026, 131021, 131030, 131047, 137000), _UNDELIVERABLE),
    131049: _CAPPED,
    131050: _STOPPED,
    130472: _EXPERIMENT,
    130403: _BLOCKED,
    130497: _COUNTRY,
    132015: _PAUSED,
    **dict.fromkeys((132001, 132016), _DISABLED),
    **dict.fromkeys((132000, 132012, 132018, 132068, 131008, 131063), _MISFIT),
    **dict.fromkeys((0, 3, 10, 104, 190, 131005, *range(200, 300)), _TOKEN),
    131042: _PAYMENT,
    **dict.fromkeys((368, 131031, 131064), _ACCOUNT),
    **dict.fromkeys((33, 131037, 131045, 133010), _NUMBER),
    131048: _SPAM,
    **dict.fromkeys((131052, 131053), _MEDIA),
    **dict.fromkeys((131009, 132005, 132007, 132008, 132069), _VALUE),
    **dict.fromkeys((4, 613, 80007, 80008, 130429, 131056, 131057, 133004), _THROTTLED),
}
_BY_FAILURE: Final = {"outcome_unknown": _UNKNOWN_OUTCOME, "expired": _EXPIRED, "opted_out": _STOPPED}
_BY_NAME: Final = {each.name: each for each in (*_BY_CODE.values(), *_BY_FAILURE.values(), _OTHER, ERROR_RATE)}
NAMES: Final = tuple(sorted(_BY_NAME))


def classify(code: int | None, failure: str = "") -> FailureClass:
    """The class of a failure by Meta's code, or by messaging's word where Meta gave none."""
    if code is not None:
        return _BY_CODE.get(code, _OTHER)
    return _BY_FAILURE.get(failure, _VALUE)  # without a code it was refused here, over what it says


def class_named(name: str) -> FailureClass:
    """A class by its stable name; one that is not known any more counts as a refusal."""
    return _BY_NAME.get(name, _OTHER)
