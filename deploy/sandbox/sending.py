"""`POST /{phone-number-id}/messages`: what Meta does with a send, from the bytes to the accepted message."""

import base64
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import GraphError
from .faults import Faults
from .gate import BadGatewayError, Gate
from .ledger import Ledger, Message, RefusedCall
from .magic import Effect, effect_of
from .numbers import CALLING_CODE, Number, Numbers
from .statuses import StatusFlow, reply_seconds
from .templates.sends import TemplateSends
from .templates.store import Template
from .validation.messages import check_frame, parse_body, parse_recipient

Recipient = tuple[str, str | None]  # digits or business-scoped id; the latter again if it is one


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
    gate: Gate
    templates: TemplateSends
    ledger: Ledger
    flow: StatusFlow
    faults: Faults
    rng: random.Random

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
            self.gate.check(number, to, effect)
            template = None
            if kind == "template":
                template = self.templates.find(body, number, token, to_user_id=user_id is not None)
            fail_with = self.gate.later_failure(number, to, template)
        except (GraphError, BadGatewayError) as error:
            opaque = body.get("biz_opaque_callback_data")
            self.ledger.refuse(RefusedCall(to, opaque if isinstance(opaque, str) else None, at, error.code))
            raise
        if fail_with is not None:
            effect = Effect(fail_with=fail_with)
        message = self._message(number, (to, user_id), kind, template, effect)
        message.opaque, message.body, message.at = body.get("biz_opaque_callback_data"), raw, at
        return self._act(message, body, effect, template)

    def _message(
        self, number: Number, recipient: Recipient, kind: str, template: Template | None, effect: Effect
    ) -> Message:
        to, user_id = recipient
        return Message(
            wamid=new_wamid(to, self.rng),
            phone_number_id=number.phone_number_id,
            waba_id=template.waba_id if template else number.waba_id,
            display_phone_number=number.display_phone_number,
            to=to,
            # Brazil and Mexico: Meta may add a digit to what was dialled.
            wa_id=f"{to[:-8]}9{to[-8:]}" if effect.renumbered else to,
            user_id=user_id or (f"US.{to}0000000" if effect.hidden else None),
            kind=kind,
            category=template.category.lower() if template else "service",
            outcome="held" if effect.held and template is not None else "accepted",
        )

    def _act(self, message: Message, body: Mapping[str, Any], effect: Effect, template: Template | None) -> Reply:
        answer = _answer(message, body)
        cut = effect.cut or self.faults.loses_reply()
        if cut:
            message.outcome = "reply_lost"
        self.ledger.record(message)
        after_seconds = reply_seconds(self.faults.now, self.rng)
        self.flow.begin(message, body, effect, after_seconds)
        if template is not None:
            self.templates.note(template, effect)
        return Reply(answer, after_seconds, cut)


def new_wamid(user: str, rng: random.Random) -> str:
    """A message id of Meta's form: base64 of the user's number and 18 random hex digits."""
    digits = user.encode()[:64]
    unique = b"%018X" % rng.getrandbits(72)
    spelt = b"\x1c\x18%c%b\x15\x02\x00\x11\x18\x12%b\x00" % (len(digits), digits, unique)
    return "wamid." + base64.b64encode(spelt).decode("ascii")


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
