"""The variables of an approved template by the dashboard API's keys, and where each recipient's values come from.

A key is a position in the body ("1"), a variable's name, or for the rest of the template "header.1" (a link where the
header is media) and "button.0". A value is what was given, else the contact's field, else the variable's default; the
sample that Meta was shown never reaches a customer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from services.messaging.domain.templates import ApprovedButton, ApprovedTemplate, ApprovedText
from services.messaging.domain.templates_buttons import COUPON_LIMIT, URL_LIMIT
from services.messaging.domain.templates_values import checked, invalid
from shared.contracts.content import MediaHeader, TemplateButton, TemplateContent, TemplateHeader, TextHeader
from shared.contracts.templates import Template, TemplateVariable
from shared.errors import InvalidInputError

MISSING, UNKNOWN_KEY, INVALID = "missing_variable", "unknown_variable", "invalid_variable"

_MEDIA = {"image", "video", "document"}
_KEYS_SHOWN = 10
_LONGEST_LINK = 2000


@dataclass(frozen=True, slots=True)
class ContactFields:
    """What is known of a recipient."""

    phone: str | None = None
    name: str | None = None
    email: str | None = None
    company: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def get(self, extraction_field: str) -> str | None:
        """The value of `name`, `email`, `company`, `phone` or `attributes.<key>`; None for anything else."""
        if extraction_field.startswith("attributes."):
            return self.attributes.get(extraction_field.removeprefix("attributes."))
        if extraction_field in {"phone", "name", "email", "company"}:
            value: str | None = getattr(self, extraction_field)
            return value
        return None


@dataclass(frozen=True, slots=True)
class Slot:
    """One value that the template needs. `limit` is in characters; `link` is what stands before a URL button's value.

    `names` are further keys that mean it.
    """

    key: str
    names: tuple[str, ...] = ()
    extraction_field: str | None = None
    default: str | None = None
    limit: int | None = None
    link: str = ""
    is_media: bool = False

    @property
    def label(self) -> str:
        """How people are told which one is meant."""
        return f"{self.key} ({self.names[0]})" if self.names else self.key


@dataclass(frozen=True, slots=True)
class VariableProblem:
    """Why a recipient's values do not do; `field` is the key as the caller wrote or should have written it."""

    code: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class VariableSchema:
    """All that a template needs. `unsendable` says why it cannot be filled by keys at all."""

    slots: tuple[Slot, ...]
    keys: Mapping[str, tuple[Slot, ...]]  # every key that is understood
    body: ApprovedText | None
    unsendable: str | None

    @property
    def fields_used(self) -> frozenset[str]:
        """The contact's fields that values may come from."""
        return frozenset(slot.extraction_field for slot in self.slots if slot.extraction_field)


def variable_schema(template: Template, approved: ApprovedTemplate) -> VariableSchema:
    """Read once from a template, used for any number of recipients."""
    slots = tuple(_slots(template, approved))
    keys: dict[str, tuple[Slot, ...]] = {slot.key: (slot,) for slot in slots}
    exact = frozenset(keys)
    for slot in slots:
        for name in slot.names:
            if name not in exact:
                keys[name] = (*keys.get(name, ()), slot)
    return VariableSchema(slots, keys, approved.body, _unsendable(approved))


def resolve(
    schema: VariableSchema, given: Mapping[str, str], contact: ContactFields
) -> tuple[dict[str, str], list[VariableProblem]]:
    """Every slot's value by its key, and what is wrong; nothing is to be sent where anything is."""
    problems = [_unknown(schema, key) for key in given if key not in schema.keys]
    chosen: dict[str, str] = {}
    for key, value in given.items():
        for slot in schema.keys.get(key, ()):
            if value.strip() and (key == slot.key or slot.key not in chosen):
                chosen[slot.key] = value
    values: dict[str, str] = {}
    for slot in schema.slots:
        found = chosen.get(slot.key) or _fallback(slot, contact)
        value = (found or "").strip() and (found or "")
        if not value:
            problems.append(VariableProblem(MISSING, f"variables.{slot.key}", f"a value for {slot.label} is required"))
        elif (problem := _refused(slot, value)) is not None:
            problems.append(problem)
        else:
            values[slot.key] = value
    return values, problems or _too_long(schema, values)


def content_of(approved: ApprovedTemplate, values: Mapping[str, str]) -> TemplateContent:
    """The template with values by their slots' keys."""
    body, header, buttons = parts_of(approved, values)
    return TemplateContent(
        name=approved.name, language=approved.language, variables=body, header=header, buttons=buttons
    )


def parts_of(
    approved: ApprovedTemplate, values: Mapping[str, str]
) -> tuple[dict[str, str], TemplateHeader | None, tuple[TemplateButton, ...]]:
    """Values by keys, sorted into body, header and buttons."""
    body: dict[str, str] = {}
    headers: dict[str, str] = {}
    buttons: list[TemplateButton] = []
    for key, value in values.items():
        part, dot, rest = key.partition(".")
        if not dot:
            body[key] = value
        elif part == "header":
            headers[rest] = value
        elif part == "button" and rest.isdecimal():
            buttons.append(_button(approved, int(rest), value))
        else:
            raise invalid(f"variables.{key}", "unknown variable")
    return body, _header(approved, headers), tuple(buttons)


def _slots(template: Template, approved: ApprovedTemplate) -> Iterator[Slot]:
    if approved.header is not None and approved.header.text is not None:
        for position, name in enumerate(approved.header.text.variables, start=1):
            yield _slot(f"header.{name}", _variable(template, "HEADER", name, position))
    elif approved.header is not None and approved.header.format in _MEDIA:
        yield _slot("header.1", _variable(template, "HEADER", "1", 1), is_media=True, limit=_LONGEST_LINK)
    for position, name in enumerate(approved.body.variables if approved.body else (), start=1):
        known = _variable(template, "BODY", name, position)
        yield _slot(name, known, *([] if name == str(position) else [str(position)]))
    for button in approved.buttons:
        if button.takes in {"url", "copy_code"}:
            known = _variable(template, "BUTTON", str(button.index), button.index)
            limit = COUPON_LIMIT if button.takes == "copy_code" else URL_LIMIT - len(button.link)
            yield _slot(f"button.{button.index}", known, link=button.link, limit=limit)


def _slot(
    key: str,
    known: TemplateVariable | None,
    *names: str,
    limit: int | None = None,
    link: str = "",
    is_media: bool = False,
) -> Slot:
    if known is None:
        return Slot(key, names, limit=limit, link=link, is_media=is_media)
    own_name = () if known.variable_name == key else (known.variable_name,)
    return Slot(
        key,
        (*own_name, *names),
        extraction_field=known.extraction_field or None,
        default=known.default_value or None,
        limit=limit,
        link=link,
        is_media=is_media,
    )


def _variable(template: Template, component_type: str, name: str, position: int) -> TemplateVariable | None:
    of_component = [variable for variable in template.variables if variable.component_type == component_type]
    by_name = (
        variable for variable in of_component if template.parameter_format == "named" and variable.variable_name == name
    )
    by_position = (
        variable for variable in of_component if variable.position == (int(name) if name.isdecimal() else position)
    )
    return next(chain(by_name, by_position), None)


def _unsendable(approved: ApprovedTemplate) -> str | None:
    if approved.cards:
        return f"{approved.name} is a carousel template, which the external send API can send"
    if approved.header is not None and approved.header.text is None and approved.header.format not in _MEDIA:
        return f"{approved.name} has a header of kind {approved.header.format}, which cannot be filled by variables"
    if approved.offer_expires:
        return f"{approved.name} has an offer that expires, which the external send API can send"
    return None


def _fallback(slot: Slot, contact: ContactFields) -> str | None:
    return (contact.get(slot.extraction_field) if slot.extraction_field else None) or slot.default


def _refused(slot: Slot, value: str) -> VariableProblem | None:
    path = f"variables.{slot.key}"
    try:
        checked(path, value, limit=slot.limit)
    except InvalidInputError as error:
        return VariableProblem(INVALID, path, error.message.removeprefix(f"{path}: "))
    if slot.link and value.startswith(slot.link):
        return VariableProblem(INVALID, path, f"must be what follows {slot.link} in the template, not the whole link")
    if slot.is_media and not value.lower().startswith("https://"):
        return VariableProblem(INVALID, path, "must be a publicly accessible https:// link")
    return None


def _too_long(schema: VariableSchema, values: Mapping[str, str]) -> list[VariableProblem]:
    body = schema.body
    if body is None or body.limit is None or not body.variables:
        return []
    uses = zip(body.variables, body.uses, strict=True)
    length = body.fixed_length + sum(len(values.get(name, "")) * times for name, times in uses)
    if length <= body.limit:
        return []
    words = f"with these values the text has {length} characters; Meta takes {body.limit}"
    return [VariableProblem(INVALID, "variables", words)]


def _unknown(schema: VariableSchema, key: str) -> VariableProblem:
    labels = [slot.label for slot in schema.slots]
    shown = ", ".join(labels[:_KEYS_SHOWN]) + (" …" if len(labels) > _KEYS_SHOWN else "")
    has = f"the template has {shown}" if labels else "the template has no variables"
    return VariableProblem(UNKNOWN_KEY, f"variables.{key[:60]}", f"unknown variable; {has}")


def _header(approved: ApprovedTemplate, values: Mapping[str, str]) -> TemplateHeader | None:
    if not values:
        return None
    if approved.header is None or approved.header.text is not None:
        return TextHeader(variables=dict(values))
    return MediaHeader.model_validate({"type": approved.header.format, "url": next(iter(values.values()))})


def _button(approved: ApprovedTemplate, index: int, value: str) -> TemplateButton:
    found: ApprovedButton | None = next((button for button in approved.buttons if button.index == index), None)
    match found.takes if found else None:
        case "copy_code":
            return TemplateButton(index=index, sub_type="copy_code", payload=value)
        case "quick_reply":
            return TemplateButton(index=index, sub_type="quick_reply", payload=value)
        case _:
            return TemplateButton(index=index, sub_type="url", url=value)
