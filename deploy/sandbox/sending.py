"""`POST /{phone-number-id}/messages`: what Meta does with a send, from the bytes to the accepted message."""

import base64
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import GraphError
from .faults import Faults
from .ledger import Ledger, Message, RefusedCall
from .limits import Limits, is_us
from .magic import Effect, effect_of
from .media import MediaFetcher, local_links
from .numbers import CALLING_CODE, Number, Numbers
from .statuses import StatusFlow, reply_seconds
from .templates.review import Reviewer
from .templates.store import Template, Templates
from .validation.messages import check_frame, parse_body, parse_recipient
from .validation.template_send import check_components

_UNSENDABLE: Mapping[str, int] = {"PAUSED": 132015, "DISABLED": 132016}


class BadGatewayError(Exception):
    """Meta's proxy answers 502 with HTML: nothing was done, but the answer does not say so."""

    code = 502


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a send: its body, how long it takes, and whether it is ever given."""

    body: bytes
    after_seconds: float
    cut: bool


@dataclass(frozen=True, slots=True)
class SendDesk:
    """Accepts or refuses sends; there is no idempotency, two equal calls make two messages."""

    numbers: Numbers
    templates: Templates
    reviewer: Reviewer
    limits: Limits
    faults: Faults
    ledger: Ledger
    flow: StatusFlow
    media: MediaFetcher
    rng: random.Random
    failures: dict[str, int] = field(default_factory=dict)

    def send(self, phone_number_id: str, token: str, raw: bytes) -> Reply:
        """Act on one send. Raises `GraphError` or `BadGatewayError` when nothing was done."""
        at = time.time()
        body: Mapping[str, Any] = {}
        to: str | None = None
        try:
            body = parse_body(raw)
            kind = check_frame(body, strict_carousel=self.faults.now.strict_carousel)
            to, user_id = parse_recipient(body, CALLING_CODE)
            effect = effect_of(to)
            number = self.numbers.adopt(phone_number_id, token)
            self._check_limits(number, to)
            self._play_refusals(to, effect)
            template = self._find_template(body, number, token, user_id) if kind == "template" else None
            fail_with = self._check_policy(number, to, kind, template)
        except (GraphError, BadGatewayError) as error:
            self._refuse(body, to, at, error.code)
            raise
        if fail_with is not None:
            effect = Effect(fail_with=fail_with)
        message = Message(
            wamid=new_wamid(to, self.rng),
            phone_number_id=number.phone_number_id,
            waba_id=template.waba_id if template else number.waba_id,
            display_phone_number=number.display_phone_number,
            to=to,
            wa_id=f"{to[:-8]}9{to[-8:]}" if effect.renumbered else to,
            user_id=user_id or (f"US.{to}0000000" if effect.hidden else None),
            kind=kind,
            category=template.category.lower() if template else "service",
            opaque=body.get("biz_opaque_callback_data"),
            body=raw,
            at=at,
            outcome="held" if effect.held and template is not None else "accepted",
        )
        return self._act(message, body, effect, template)

    def reset(self) -> None:
        """Forget which magic recipients have failed how often."""
        self.failures.clear()

    def _check_limits(self, number: Number, to: str) -> None:
        faults = self.faults.now
        if to == number.display_phone_number:
            raise GraphError(131021, "Recipient phone number is the same as the sender's.")
        if not number.take(faults.rate_limit_per_second):
            raise GraphError(130429, "Cloud API message throughput has been reached.", subcode=2494055)
        if faults.profile == "meta" and not self.limits.take_pair(number.phone_number_id, to):
            raise GraphError(131056, "Too many messages sent from this phone number to the same phone number.")

    def _play_refusals(self, to: str, effect: Effect) -> None:
        """What a magic recipient or the error rate asks for: refused, nothing done."""
        if effect.bad_gateway:
            raise BadGatewayError
        if effect.refuse_with is not None:
            raise GraphError(effect.refuse_with, f"Asked for by the recipient +{to}.")
        if effect.fail_first and self.failures.setdefault(to, 0) < effect.fail_first:
            self.failures[to] += 1
            raise GraphError(131000, "Message failed to send due to an unknown error.")
        error_rate = self.faults.now.error_rate
        if error_rate and self.rng.random() < error_rate:
            raise GraphError(131000, "Message failed to send due to an unknown error.")

    def _find_template(self, body: Mapping[str, Any], number: Number, token: str, user_id: str | None) -> Template:
        asked = body["template"]
        name, language = asked["name"], asked["language"]["code"]
        self.templates.adopt(number.waba_id)
        template = self.templates.find_for_send(name, language, [*self.numbers.wabas_of(token), number.waba_id])
        if template is not None and template.status in _UNSENDABLE:
            raise GraphError(_UNSENDABLE[template.status], f"template name ({name}) is {template.status.lower()}")
        if template is None or template.status != "APPROVED":
            known = "is not approved" if template else "does not exist"
            raise GraphError(132001, f"template name ({name}) {known} in {language}")
        check_components(template.shape, asked.get("components"))
        if user_id is not None and template.category == "AUTHENTICATION":
            raise GraphError(131062, "Authentication templates need a phone number.")
        return template

    def _check_policy(self, number: Number, to: str, kind: str, template: Template | None) -> int | None:
        """The code the message will fail with later, if any; raises for what is refused at once."""
        faults = self.faults.now
        is_marketing = template is not None and template.category == "MARKETING"
        window_is_open = self.limits.window_is_open(number.phone_number_id, to)
        if faults.enforce_window and template is None and not window_is_open:
            return 131047
        if is_marketing and faults.us_marketing_rule and is_us(to):
            return 131049
        limit, cap = faults.portfolio_limit, faults.marketing_cap
        if limit is not None and not window_is_open and not self.limits.take_portfolio(to, limit):
            raise GraphError(131048, "The messaging limit of the business portfolio has been reached.")
        if is_marketing and cap is not None and not self.limits.take_marketing(to, cap):
            return 131049
        return None

    def _act(self, message: Message, body: Mapping[str, Any], effect: Effect, template: Template | None) -> Reply:
        answer = _answer(message, body)
        cut = effect.cut or self.faults.loses_reply()
        if cut:
            message.outcome = "reply_lost"
        self.ledger.record(message)
        after_seconds = reply_seconds(self.faults.now, self.rng)
        self._begin_statuses(message, body, effect, after_seconds)
        if template is not None:
            self.reviewer.note_send(template, is_dropped=effect.held and effect.fail_with is not None)
        return Reply(answer, after_seconds, cut)

    def _begin_statuses(self, message: Message, body: Mapping[str, Any], effect: Effect, after_seconds: float) -> None:
        links = list(local_links(body)) if b'"link"' in message.body else []
        if not links or effect.fail_with is not None:
            self.flow.begin(message, effect, after_seconds)
            return

        def begin(media_is_good: bool) -> None:
            self.flow.begin(message, effect if media_is_good else Effect(fail_with=131053), after_seconds)

        self.media.fetch(links, begin)

    def _refuse(self, body: Mapping[str, Any], to: str | None, at: float, code: int) -> None:
        opaque = body.get("biz_opaque_callback_data")
        self.ledger.refuse(RefusedCall(to, opaque if isinstance(opaque, str) else None, at, code))


def new_wamid(user: str, rng: random.Random) -> str:
    """A message id of Meta's form: base64 of the user's number and 18 random hex digits."""
    digits = user.encode()[:64]
    unique = b"%018X" % rng.getrandbits(72)
    return "wamid." + base64.b64encode(
        b"\x1c\x18%c%b\x15\x02\x00\x11\x18\x12%b\x00" % (len(digits), digits, unique)
    ).decode("ascii")


def _answer(message: Message, body: Mapping[str, Any]) -> bytes:
    # Formatted by hand: every part is checked text without quotes, and this is the hottest line of the sandbox.
    if body.get("to") is not None:
        contact = f'{{"input":"{body["to"]}","wa_id":"{message.wa_id}"}}'
    else:
        contact = f'{{"input":"{message.to}","user_id":"{message.user_id}"}}'
    status = ""
    if message.kind == "template":
        state = "held_for_quality_assessment" if message.outcome == "held" else "accepted"
        status = f',"message_status":"{state}"'
    return (
        f'{{"messaging_product":"whatsapp","contacts":[{contact}],"messages":[{{"id":"{message.wamid}"{status}}}]}}'
    ).encode()
