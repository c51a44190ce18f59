"""Where the values of a template's buttons go: each to the approved button that takes it, whatever index came with it.

Meta refuses a value at the wrong button (132018) and a missing one (131008), and callers count buttons in several
ways; the approved template knows better than either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.messaging.domain.templates import ApprovedButton, ButtonValue
from services.messaging.domain.templates_values import checked, invalid, text_parameter
from shared.contracts.content import TemplateButton

COUPON_LIMIT = 20  # characters, as the next
OTP_LIMIT = 15
PAYLOAD_LIMIT = 256
URL_LIMIT = 2000  # the approved link and its value together

_NAMES: dict[ButtonValue, str] = {
    "quick_reply": "quick-reply button",
    "url": "URL button with a variable",
    "copy_code": "copy-code button",
    "otp": "one-time-password button",
}


@dataclass(frozen=True, slots=True)
class _Value:
    """A value on its way to its button; `index` is None for the copy_code shorthand, which names none."""

    field: str  # of the button
    value_field: str  # of the value inside it
    takes: ButtonValue
    index: int | None
    value: str | None


def button_components(
    path: str,
    given: Sequence[TemplateButton],
    approved: Sequence[ApprovedButton],
    warnings: list[str],
    *,
    copy_code: str | None = None,
    body_code: str | None = None,
) -> list[dict[str, Any]]:
    """The button components of a template or card, in the order of the approved buttons.

    `path` is what the caller's fields begin with (template, carousel.cards[0]); `body_code` is the code that an
    authentication template's body shows. A value whose index names another kind of button moves to the one button of
    its kind, which adds to `warnings`. Raises InvalidInputError when a value has no place, none of its own, or a
    button lacks one.
    """
    _refuse_unfillable(path, approved)
    placed: dict[int, _Value] = {}
    values = _values(path, given, copy_code, has_otp=any(button.takes == "otp" for button in approved))
    for value in values:
        slots = [button for button in approved if button.takes == value.takes]
        alone = sum(other.takes == value.takes for other in values) == 1
        index = _placed_at(value, slots, warnings, alone=alone)
        if index in placed:
            raise invalid(value.field, f"button {index} has its value from {placed[index].field} already")
        placed[index] = value
    return [
        _component(path, button, placed.get(button.index), body_code) for button in approved if button.takes is not None
    ]


def _refuse_unfillable(path: str, approved: Sequence[ApprovedButton]) -> None:
    for button in approved:
        if button.type in {"MPM", "ORDER_DETAILS"}:
            raise invalid(f"{path}.buttons", f'the approved template\'s button "{button.text}" cannot be filled here')


def _values(path: str, given: Sequence[TemplateButton], copy_code: str | None, *, has_otp: bool) -> list[_Value]:
    code: ButtonValue = "otp" if has_otp else "copy_code"
    values = [_value(f"{path}.buttons[{position}]", button, code) for position, button in enumerate(given)]
    if copy_code is not None:
        values.append(_Value(f"{path}.copy_code", f"{path}.copy_code", code, None, copy_code))
    return values


def _value(field: str, button: TemplateButton, code: ButtonValue) -> _Value:
    match button.sub_type:
        case "url":
            # Who knows Meta's API sends a one-time password as the URL button that it is there.
            return _Value(field, f"{field}.url", "otp" if code == "otp" else "url", button.index, button.url)
        case "copy_code":
            return _Value(field, f"{field}.payload", code, button.index, button.payload)
        case "quick_reply":
            return _Value(field, f"{field}.payload", "quick_reply", button.index, button.payload)


def _placed_at(value: _Value, slots: list[ApprovedButton], warnings: list[str], *, alone: bool) -> int:
    name = _NAMES[value.takes]
    if not slots:
        raise invalid(value.field, f"the approved template has no {name}")
    indexes = [slot.index for slot in slots]
    if value.index in indexes:
        return value.index
    if len(indexes) == 1 and (alone or value.index is None):
        if value.index is not None:
            warnings.append(
                f"button_moved: {value.field} has index {value.index}, "
                f"but the approved template's {name} has index {indexes[0]}; sent there"
            )
        return indexes[0]
    those = ", ".join(map(str, indexes))
    if value.index is None:
        raise invalid(value.field, f"the approved template has more than one {name} ({those}); name one by its index")
    raise invalid(value.field, f"button {value.index} of the approved template is no {name}; look at {those}")


def _component(path: str, button: ApprovedButton, given: _Value | None, body_code: str | None) -> dict[str, Any]:
    match button.takes:
        case "quick_reply":
            return quick_reply_component(button.index, _payload(button, given))
        case "url":
            return url_component(button.index, _url(path, button, given))
        case "copy_code":
            field, code = _needed(_code_field(path), button, given)
            return coupon_component(button.index, checked(field, code, limit=COUPON_LIMIT))
        case _:
            return url_component(button.index, _one_time_password(path, button, given, body_code))


def checked_payload(field: str, payload: str) -> str:
    """A quick reply's payload, which is never shown and may hold anything but nothing. Raises InvalidInputError."""
    if not payload:
        raise invalid(field, "must not be empty")
    if len(payload) > PAYLOAD_LIMIT:
        raise invalid(field, f"must be at most {PAYLOAD_LIMIT} characters, got {len(payload)}")
    return payload


def quick_reply_component(index: int, payload: str) -> dict[str, Any]:
    """A quick reply in Meta's form."""
    return _meta_button("quick_reply", index, {"type": "payload", "payload": payload})


def url_component(index: int, value: str) -> dict[str, Any]:
    """A URL button (or one-time password) in Meta's form."""
    return _meta_button("url", index, text_parameter(value))


def coupon_component(index: int, code: str) -> dict[str, Any]:
    """A coupon's copy-code button in Meta's form."""
    return _meta_button("copy_code", index, {"type": "coupon_code", "coupon_code": code})


def _meta_button(sub_type: str, index: int, parameter: dict[str, Any]) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": str(index), "parameters": [parameter]}


def _payload(button: ApprovedButton, given: _Value | None) -> str:
    # Without a payload Meta answers a tap with the label; an id of ours can be traced to the button in any language.
    if given is None or given.value is None:
        return button.button_id
    return checked_payload(given.value_field, given.value)


def _url(path: str, button: ApprovedButton, given: _Value | None) -> str:
    field, suffix = _needed(f"{path}.buttons", button, given)
    checked(field, suffix, limit=URL_LIMIT - len(button.link))
    if button.link and suffix.startswith(button.link):
        raise invalid(field, f"must be what follows {button.link} in the approved template, not the whole link")
    return suffix


def _one_time_password(path: str, button: ApprovedButton, given: _Value | None, body_code: str | None) -> str:
    if given is None and body_code is not None:
        return checked(f"{path}.body.variables", body_code, limit=OTP_LIMIT)
    field, code = _needed(_code_field(path), button, given)
    if body_code not in (None, code):
        raise invalid(field, f"must be the code that {path}.body.variables shows")
    return checked(field, code, limit=OTP_LIMIT)


def _code_field(path: str) -> str:
    return "template.copy_code" if path == "template" else f"{path}.buttons"  # cards have no shorthand


def _needed(field: str, button: ApprovedButton, given: _Value | None) -> tuple[str, str]:
    if given is not None:
        return given.value_field, checked(given.value_field, given.value)
    value = "a url value" if button.takes == "url" else "a code"
    raise invalid(field, f'{value} is required for button {button.index} ("{button.text}") of the approved template')
