"""Creating, editing and deleting templates, with the rules of Meta that are not about content."""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import GraphError
from ..faults import Faults
from ..magic import fate_of
from ..validation.template_create import accept_components, refused
from .review import Reviewer
from .store import Template, Templates

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
NAME_EXISTS, NAME_LOCKED, NOT_EDITABLE, ACCOUNT_FULL = 2388024, 2388023, 2388039, 2388019
ACCOUNT_LIMIT = 250
LOCK_SECONDS = 30 * 24 * 3600
DAY_SECONDS = 24 * 3600
EDITS_PER_30_DAYS = 10
_NAME = re.compile(r"^[a-z0-9_]{1,512}$")
_LANGUAGE = re.compile(r"^[a-z]{2,3}(_[A-Z]{2,3})?$")


@dataclass(frozen=True, slots=True)
class TemplateDesk:
    """Takes templates in. The limits that count (names, edits, templates) hold in the profile `meta`."""

    templates: Templates
    reviewer: Reviewer
    faults: Faults

    def create(self, waba_id: str, body: Mapping[str, Any]) -> Template:
        """Take a new template in for review, or refuse it."""
        name, language, category = self._identity(body)
        fate = fate_of(name)
        if fate.creation_subcode is not None:
            raise refused(fate.creation_subcode, "Template was not created", "Asked for by the template's name.")
        self._check_name(waba_id, name, language, category)
        parameter_format = str(body.get("parameter_format", "POSITIONAL")).upper()
        if parameter_format not in ("POSITIONAL", "NAMED"):
            raise GraphError(100, message="(#100) Param parameter_format must be one of {NAMED, POSITIONAL}.")
        components = accept_components(body.get("components"), category, named=parameter_format == "NAMED")
        template = self.templates.add(
            waba_id,
            name=name,
            language=language,
            category=fate.answered_category or category,
            components=components,
            parameter_format=parameter_format,
        )
        self.reviewer.submit(template)
        return template

    def edit(self, template: Template, body: Mapping[str, Any]) -> None:
        """Replace the content or category of a template and review it again."""
        if template.status not in ("APPROVED", "REJECTED", "PAUSED"):
            raise refused(NOT_EDITABLE, "Template cannot be edited", f"It is {template.status.lower()}.")
        self._check_edits(template)
        category = _category(body.get("category", template.category))
        if category != template.category and template.status == "APPROVED":
            raise refused(NOT_EDITABLE, "Category cannot be changed", "The template is approved.")
        components = body.get("components")
        if components is not None:
            named = template.parameter_format == "NAMED"
            template.replace_components(accept_components(components, category, named=named))
        template.category = category
        template.edited_at.append(time.time())
        self.reviewer.submit(template)

    def delete_name(self, waba_id: str, name: str) -> None:
        """Delete a name in all its languages."""
        found = self.templates.list_of(waba_id, lambda template: template.name == name)
        self._delete(found, name)

    def delete_ids(self, waba_id: str, ids: Iterable[str], name: str | None = None) -> None:
        """Delete templates of this account by id; with a name, only if it is theirs."""
        for template_id in ids:
            template = self.templates.find(template_id)
            known = template is not None and template.waba_id == waba_id and name in (None, template.name)
            self._delete([template] if known and template else [], name or template_id)

    def _delete(self, found: list[Template], asked: str) -> None:
        if not found:
            raise refused(2593002, "Message template not found", f"There is no template {asked} to delete.")
        for template in found:
            if template.status == "DISABLED":
                raise refused(NOT_EDITABLE, "Template cannot be deleted", "It is disabled.")
            self.templates.delete(template)
            if template.status == "APPROVED" and self.faults.now.profile == "meta":
                self.templates.lock_name(template.waba_id, template.name, LOCK_SECONDS)
            template.status = "DELETED"

    def _identity(self, body: Mapping[str, Any]) -> tuple[str, str, str]:
        for required in ("name", "language", "category"):
            if not isinstance(body.get(required), str) or not body[required]:
                raise GraphError(100, message=f"(#100) The parameter {required} is required.")
        if not _NAME.match(body["name"]):
            raise refused(None, "Invalid name", "Names have lower-case letters, digits and underscores.")
        if not _LANGUAGE.match(body["language"]):
            raise GraphError(100, message=f'(#100) Param language is not a supported language: "{body["language"]}".')
        return body["name"], body["language"], _category(body["category"])

    def _check_name(self, waba_id: str, name: str, language: str, category: str) -> None:
        namesakes = self.templates.list_of(waba_id, lambda template: template.name == name)
        if any(template.language == language for template in namesakes):
            raise refused(NAME_EXISTS, "Content in this language already exists", f"{name} exists in {language}.")
        if any(template.category != category for template in namesakes):
            raise refused(None, "Category differs", "All languages of a name share their category.")
        if self.templates.name_is_locked(waba_id, name):
            raise refused(NAME_LOCKED, "Name is being deleted", "The name was deleted; try again in 4 weeks.")
        if self.faults.now.profile == "meta" and len(self.templates.adopt(waba_id)) >= ACCOUNT_LIMIT:
            raise refused(ACCOUNT_FULL, "Too many templates", f"An account may have {ACCOUNT_LIMIT} templates.")

    def _check_edits(self, template: Template) -> None:
        if self.faults.now.profile != "meta" or template.status != "APPROVED":
            return
        now = time.time()
        recent = [at for at in template.edited_at if now - at < 30 * DAY_SECONDS]
        if len(recent) >= EDITS_PER_30_DAYS or any(now - at < DAY_SECONDS for at in recent):
            raise refused(NOT_EDITABLE, "Too many edits", "An approved template may be edited once a day.")


def _category(asked: Any) -> str:
    category = str(asked).upper()
    if category not in CATEGORIES:
        words = ", ".join(sorted(CATEGORIES))
        raise GraphError(100, message=f'(#100) Param category must be one of {{{words}}} - got "{asked}".')
    return category
