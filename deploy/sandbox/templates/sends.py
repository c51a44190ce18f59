"""Finding the approved template a send means, and counting what was sent with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import GraphError
from ..magic import Effect
from ..numbers import Number, Numbers
from ..validation.template_send import check_components
from .review import Reviewer
from .store import Template, Templates

_UNSENDABLE: Mapping[str, int] = {"PAUSED": 132015, "DISABLED": 132016}


@dataclass(frozen=True, slots=True)
class TemplateSends:
    """Templates as the send endpoint sees them."""

    templates: Templates
    numbers: Numbers
    reviewer: Reviewer

    def find(self, body: Mapping[str, Any], number: Number, token: str, *, to_user_id: bool) -> Template:
        """The template, if it may be sent and its components fill it; else Meta's refusal."""
        asked = body["template"]
        name, language = asked["name"], asked["language"]["code"]
        self.templates.adopt(number.waba_id)
        template = self.templates.find_for_send(name, language, [*self.numbers.wabas_of(token), number.waba_id])
        if template is None:
            raise GraphError(132001, f"template name ({name}) does not exist in {language}")
        if template.status in _UNSENDABLE:
            raise GraphError(_UNSENDABLE[template.status], f"template name ({name}) is {template.status.lower()}")
        if template.status != "APPROVED":
            raise GraphError(132001, f"template name ({name}) is not approved in {language}")
        check_components(template.shape, asked.get("components"))
        if to_user_id and template.category == "AUTHENTICATION":
            raise GraphError(131062, "Authentication templates need a phone number.")
        return template

    def note(self, template: Template, effect: Effect) -> None:
        """A message was sent with it; a held one that will be dropped takes its template with it."""
        self.reviewer.note_send(template, is_dropped=effect.held and effect.fail_with is not None)
