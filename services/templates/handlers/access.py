"""The WhatsApp Business Account behind one of our phone numbers; messaging owns the numbers."""

from dataclasses import dataclass

from shared.bus.port import Bus
from shared.contracts.messaging import GetNumberAccess, NumberAccess
from shared.errors import InvalidInputError, ReplyTimeoutError, ServiceUnavailableError

_TIMEOUT_SECONDS = 4.0  # within the five seconds that a caller waits for a query


@dataclass(frozen=True, slots=True)
class NumberLookup:
    """Asks messaging."""

    bus: Bus

    async def whatsapp_access(self, phone_number_id: str) -> tuple[NumberAccess, str]:
        """The access of a WhatsApp number, and its WABA.

        Raises NotFoundError for an unknown number, InvalidInputError for one that can have no templates, and
        ServiceUnavailableError when messaging does not answer: nothing has been done by then.
        """
        try:
            access = await self.bus.request(
                GetNumberAccess(phone_number_id=phone_number_id), timeout_seconds=_TIMEOUT_SECONDS
            )
        except ReplyTimeoutError as error:
            raise ServiceUnavailableError("the phone number could not be looked up in time") from error
        if access.platform != "whatsapp" or access.waba_id is None:
            raise InvalidInputError(
                "templates belong to WhatsApp phone numbers only",
                details=[{"field": "phone_number_id", "message": "is not a WhatsApp phone number"}],
            )
        return access, access.waba_id
