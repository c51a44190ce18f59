"""Bodies that draft and change templates. What Meta thinks of them is told as warnings, not here."""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.schemas.changes import ChangeBody
from services.gateway.schemas.checked import Checked, matching
from services.gateway.schemas.fields import EMPTY_IS_NONE, NOT_BLANK, WHOLE, Body, Identifier
from shared.contracts.template_drafts import VariableInput
from shared.web.field_errors import field_error

LARGEST_COMPONENTS = 64 * 1024  # bytes as JSON; Meta's own limits of texts and buttons come to a quarter of it

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})?", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_FIELD = re.compile(r"(name|email|company|phone|attributes\.[A-Za-z0-9_-]{1,64})", re.ASCII)


def _small(components: list[Any]) -> list[Any]:
    text = json.dumps([component.model_dump(exclude_unset=True) for component in components], ensure_ascii=False)
    if len(text.encode()) > LARGEST_COMPONENTS:
        raise field_error(f"must have at most {LARGEST_COMPONENTS // 1024} KiB as JSON")
    return components


class Part(BaseModel):
    """A part of a template in Meta's words; members that are not named here go to Meta as they are."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", use_attribute_docstrings=True)


Kind = Annotated[str, Field(min_length=1, max_length=40), NOT_BLANK]
Text = Annotated[str | None, Field(max_length=4096)]


class ButtonBody(Part):
    """A button as Meta's template API has it."""

    type: Kind
    """`QUICK_REPLY`, `URL`, `PHONE_NUMBER`, `COPY_CODE`, `OTP`, …"""
    text: Text = None
    """Its label, at most 25 characters."""


class CardBody(Part):
    """A card of a carousel."""

    components: Annotated[list["ComponentBody"], Field(min_length=1, max_length=10)]
    """Its header, body and buttons."""


class ComponentBody(Part):
    """A component as Meta's template API has it."""

    type: Kind
    """`HEADER`, `BODY`, `FOOTER`, `BUTTONS`, `CAROUSEL` or `LIMITED_TIME_OFFER`."""
    format: Annotated[str | None, Field(max_length=40)] = None
    """Of a header: `TEXT`, `IMAGE`, `VIDEO`, `DOCUMENT` or `LOCATION`."""
    text: Text = None
    """With `{{1}}` or `{{name}}` where values go."""
    example: dict[str, Any] | None = None
    """Meta's examples; of a media header `header_url`, a public https:// link to a sample, or `header_handle`."""
    buttons: Annotated[list[ButtonBody] | None, Field(max_length=20)] = None
    """Of `BUTTONS`."""
    cards: Annotated[list[CardBody] | None, Field(max_length=20)] = None
    """Of `CAROUSEL`."""


class TemplateVariableBody(Body):
    """One variable of the template."""

    variable_name: Annotated[str, matching(_VARIABLE, "must be a letter or _ and at most 63 letters, digits or _ more")]
    """By which it may be given when sending."""
    position: Annotated[int, Field(ge=0, le=100), WHOLE] | None = None
    """Its number in header or body; for a URL button the button's index from 0. Left out where the name says it."""
    component_type: Literal["HEADER", "BODY", "BUTTON"] = "BODY"
    """Where it stands."""
    extraction_field: Annotated[
        Annotated[str, matching(_FIELD, "must be name, email, company, phone or attributes.<key>")] | None,
        EMPTY_IS_NONE,
    ] = None
    """The field of the contact that fills it when no value is given."""
    default_value: Annotated[Annotated[str, Field(max_length=1024)] | None, EMPTY_IS_NONE] = None
    """What fills it when nothing else does."""
    sample_value: Annotated[Annotated[str, Field(max_length=1024)] | None, EMPTY_IS_NONE] = None
    """What Meta's reviewers see; never sent to customers."""
    description: Annotated[Annotated[str, Field(max_length=500)] | None, EMPTY_IS_NONE] = None
    """For people."""
    is_required: bool = False
    """Whether a message needs a value."""
    placeholder: Annotated[Annotated[str, Field(max_length=200)] | None, EMPTY_IS_NONE] = None
    """What an empty form field shows."""

    def said(self) -> VariableInput:
        """As the templates service is told."""
        return VariableInput(**self.model_dump())


TemplateName = Annotated[str, Field(min_length=1, max_length=512), NOT_BLANK]
Category = Literal["MARKETING", "UTILITY", "AUTHENTICATION"]
Language = Annotated[str, matching(_LANGUAGE, "must be a language code such as en or en_US")]
Components = Annotated[list[ComponentBody], Field(min_length=1, max_length=10), Checked(_small, {})]
Variables = Annotated[list[TemplateVariableBody], Field(max_length=100)]


class CreateTemplateBody(Body):
    """A new template, as a draft."""

    user_id: Identifier
    """The user that the number belongs to."""
    phone_number_id: Identifier
    """Our id of a number of the WhatsApp Business Account."""
    name: TemplateName
    """Lower-case letters, digits and underscores, for Meta to take it."""
    category: Category
    """What the messages are for."""
    language: Language
    """E.g. `en_US`."""
    parameter_format: Literal["positional", "named"] | None = None
    """How placeholders are written; left out, as they look."""
    components: Components
    """Meta's components."""
    variables: Variables = Field(default_factory=list)
    """What is known of the placeholders."""


class ChangeTemplateBody(ChangeBody):
    """What to change in a draft or a rejected template."""

    name: TemplateName = ""
    """Until Meta knows the template."""
    category: Category = "UTILITY"
    """What the messages are for."""
    language: Language = ""
    """Until Meta knows the template."""
    components: Components = Field(default_factory=list)
    """All components anew."""
    variables: Variables = Field(default_factory=list)
    """All variables anew; left out, what is known of them stays."""


class TemplateVariablesBody(Body):
    """What the variables of a template are."""

    variables: Variables
    """All that is to be said of them; those left out lose what was said."""


def as_meta_writes(components: list[ComponentBody]) -> tuple[dict[str, Any], ...]:
    """The components with the members that were given, and no others."""
    return tuple(component.model_dump(exclude_unset=True) for component in components)
