"""Finding the approved template that a message means: our copy first, then its owner, then one re-sync."""

from dataclasses import dataclass, field

import structlog

from services.messaging.domain.templates import ApprovedTemplate, approved_template
from services.messaging.domain.templates_language import resolve_language
from services.messaging.domain.variables import VariableSchema, variable_schema
from services.messaging.repositories.templates import TemplateCopyRepository
from shared.bus.port import Bus
from shared.contracts.content import CarouselTemplateContent, TemplateContent
from shared.contracts.messaging import NumberAccess
from shared.contracts.template_drafts import GetTemplate
from shared.contracts.templates import FindTemplates, SyncTemplates, Template
from shared.errors import InvalidInputError, NotFoundError, WaapiError
from shared.similar_names import close_matches

UNKNOWN_TEMPLATE = "template_not_found"
APPROVED = "APPROVED"

log = structlog.get_logger()

_QUERY_SECONDS = 5.0
_SECOND_LOOK_SECONDS = 1.0  # a refusal is ready, and its caller waits for it
_SYNC_SECONDS = 12.0  # leaves room for the send itself within the caller's twenty
_PARSED_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class FoundTemplate:
    """A template that may be sent, and what it needs."""

    template: Template
    approved: ApprovedTemplate
    variables: VariableSchema


@dataclass(frozen=True, slots=True)
class TemplateLookup:
    """Resolves names and languages to approved templates."""

    copies: TemplateCopyRepository
    bus: Bus
    _parsed: dict[str, FoundTemplate] = field(default_factory=dict)

    async def resolve(
        self, number: NumberAccess, content: TemplateContent | CarouselTemplateContent, *, may_ask_meta: bool = True
    ) -> ApprovedTemplate | None:
        """The template in the language that is asked for, or in the only one there is.

        None means that it could not be looked up at all, so that only Meta can tell whether it exists. Raises
        InvalidInputError when it does not exist, or the language is missing or wrong. Without `may_ask_meta` a name
        that is not known here does not exist.
        """
        carousel, name = isinstance(content, CarouselTemplateContent), _name(content)
        try:
            candidates = await self._find(number, name, may_ask_meta)
        except WaapiError as error:
            log.warning("template_not_verified", template=name, error=error.message)
            return None
        if not candidates:
            raise await self._unknown(number, name, "carousel.template_name" if carousel else "template.name")
        return self._parse(resolve_language(candidates, content.language, prefer_en_us=carousel)).approved

    async def get(self, number: NumberAccess, template_id: str, *, newest: bool = False) -> FoundTemplate:
        """The approved template with this id of ours; `newest` asks its owner instead of our copy.

        Raises NotFoundError (unknown, or another user's), InvalidInputError (of another WABA than the number's, or not
        approved).
        """
        template = await self.copies.get(template_id)
        if newest or template is None or template.status != APPROVED:  # it may have been approved a moment ago
            template = await self._ask_for(template_id) or template
        if template is None or template.user_id != number.user_id or template.status == "DELETED":
            raise NotFoundError("Template not found")
        if template.waba_id != number.waba_id:
            words = "template_id: the template belongs to another WhatsApp Business Account than the phone number"
            raise InvalidInputError(words, code="template_of_another_waba")
        if template.status != APPROVED:
            words = f"template_id: only approved templates can be sent; this one is {template.status}"
            raise InvalidInputError(words, code="template_not_approved")
        return self._parse(template)

    async def ask_again(self, number: NumberAccess, content: TemplateContent | CarouselTemplateContent) -> bool:
        """Bring our copy of a template up to date; False when its owner does not answer.

        The owner announces every change, but a caller who has just changed a template may be quicker than that.
        """
        try:
            await self._ask_owner(number.waba_id or "", _name(content), _SECOND_LOOK_SECONDS)
        except WaapiError as error:
            log.info("template_not_asked_again", template=_name(content), error=error.message)
            return False
        return True

    async def _find(self, number: NumberAccess, name: str, may_ask_meta: bool) -> list[Template]:
        waba_id = number.waba_id or ""
        candidates = await self.copies.list_approved(waba_id, name)
        if not candidates:
            candidates = await self._ask_owner(waba_id, name)
        if not candidates and may_ask_meta and await self.copies.may_resync(waba_id):
            sync = SyncTemplates(user_id=number.user_id, phone_number_id=number.phone_number_id)
            await self.bus.request(sync, timeout_seconds=_SYNC_SECONDS)
            candidates = await self._ask_owner(waba_id, name)
        return candidates

    async def _ask_for(self, template_id: str) -> Template | None:
        try:
            found = await self.bus.request(GetTemplate(template_id=template_id), timeout_seconds=_SECOND_LOOK_SECONDS)
        except NotFoundError as error:
            raise NotFoundError("Template not found") from error
        except WaapiError as error:  # our copy has to do, if there is one
            log.info("template_not_asked_again", template_id=template_id, error=error.message)
            return None
        await self.copies.store([found.template])
        return found.template

    async def _ask_owner(self, waba_id: str, name: str, seconds: float = _QUERY_SECONDS) -> list[Template]:
        found = await self.bus.request(FindTemplates(waba_id=waba_id, name=name), timeout_seconds=seconds)
        await self.copies.store(found.items)
        return list(found.items)

    async def _unknown(self, number: NumberAccess, name: str, field_path: str) -> InvalidInputError:
        matches = close_matches(name, await self.copies.list_names(number.waba_id or ""))
        hint = f"; did you mean {', '.join(matches)}?" if matches else ""
        message = f"{field_path}: no approved template is called {name!r} on this account{hint}"
        return InvalidInputError(message, code=UNKNOWN_TEMPLATE, details=[{"field": field_path, "message": message}])

    def _parse(self, template: Template) -> FoundTemplate:
        known = self._parsed.get(template.template_id)
        if known is not None and known.template.updated_at == template.updated_at:
            return known
        if len(self._parsed) >= _PARSED_LIMIT:
            self._parsed.clear()
        approved = approved_template(template)
        parsed = FoundTemplate(template, approved, variable_schema(template, approved))
        self._parsed[template.template_id] = parsed
        return parsed


def _name(content: TemplateContent | CarouselTemplateContent) -> str:
    return content.template_name if isinstance(content, CarouselTemplateContent) else content.name
