"""Business phone numbers and the tokens used with them; any id that was never seen before is adopted."""

import time
from dataclasses import dataclass, field
from typing import Any

# The account of Meta's own examples; holds numbers of which no call has told the account yet.
DEFAULT_WABA_ID = "102290129340398"
CALLING_CODE = "1"


@dataclass(slots=True)
class Number:
    """One business phone number: Graph id, what people see, and the allowance of its throughput."""

    phone_number_id: str
    waba_id: str
    display_phone_number: str
    allowance: float | None = None
    refilled_at: float = field(default_factory=time.monotonic)

    def take(self, rate_per_second: float) -> bool:
        """Take one message from the bucket (one second of the rate deep); False when it is empty."""
        now = time.monotonic()
        full = max(rate_per_second, 1.0)
        before = full if self.allowance is None else self.allowance
        allowance = min(full, before + (now - self.refilled_at) * rate_per_second)
        self.refilled_at = now
        self.allowance = allowance - 1 if allowance >= 1 else allowance
        return allowance >= 1

    def fields(self) -> dict[str, Any]:
        """Every field of the Graph node that callers ask for."""
        digits = self.display_phone_number
        return {
            "verified_name": f"Sandbox {self.phone_number_id[-4:]}",
            "code_verification_status": "VERIFIED",
            "display_phone_number": f"+{digits[0]} {digits[1:4]}-{digits[4:7]}-{digits[7:]}",
            "quality_rating": "GREEN",
            "id": self.phone_number_id,
            "name_status": "APPROVED",
            "status": "CONNECTED",
            "platform_type": "CLOUD_API",
            "account_mode": "SANDBOX",
            "throughput": {"level": "HIGH"},
            "whatsapp_business_manager_messaging_limit": "TIER_UNLIMITED",
            "messaging_limit_tier": "TIER_UNLIMITED",
            "health_status": {
                "can_send_message": "AVAILABLE",
                "entities": [
                    {"entity_type": "PHONE_NUMBER", "id": self.phone_number_id, "can_send_message": "AVAILABLE"},
                    {"entity_type": "WABA", "id": self.waba_id, "can_send_message": "AVAILABLE"},
                ],
            },
        }


class Numbers:
    """The numbers that were seen, and which account each token was last used on.

    Nothing tells Meta's stand-in which account a number belongs to, so it follows the token: the account last
    called with the same token is the number's.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, Number] = {}
        self._wabas_by_token: dict[str, dict[str, None]] = {}
        self._numbers_by_token: dict[str, dict[str, None]] = {}

    def adopt(self, phone_number_id: str, token: str) -> Number:
        """The number with this id, new or known, on the account its token was last used on."""
        number = self._numbers.get(phone_number_id)
        if number is None:
            display = f"{CALLING_CODE}555{phone_number_id[-7:].rjust(7, '0')}"
            number = self._numbers[phone_number_id] = Number(phone_number_id, DEFAULT_WABA_ID, display)
        self._numbers_by_token.setdefault(token, {})[phone_number_id] = None
        wabas = self._wabas_by_token.get(token)
        if wabas:
            number.waba_id = next(reversed(wabas))
        return number

    def ids(self) -> list[str]:
        """Every number that was seen."""
        return list(self._numbers)

    def with_token(self, token: str) -> list[Number]:
        """The numbers this token was used on, the first one first: each counts as one of its accounts'."""
        return [self._numbers[phone_number_id] for phone_number_id in self._numbers_by_token.get(token, {})]

    def note_token(self, token: str, waba_id: str) -> None:
        """Remember that this token was used on this account."""
        wabas = self._wabas_by_token.setdefault(token, {})
        wabas.pop(waba_id, None)
        wabas[waba_id] = None

    def wabas_of(self, token: str) -> list[str]:
        """The accounts this token was used on, the last one first."""
        return list(reversed(self._wabas_by_token.get(token, {})))

    def reset(self) -> None:
        """Forget everything."""
        self._numbers.clear()
        self._wabas_by_token.clear()
        self._numbers_by_token.clear()
