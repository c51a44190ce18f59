"""Credit accounts: granted and free credits of a user, every movement a ledger entry with an id of its own."""

from dataclasses import dataclass
from typing import Any

from pymongo.errors import DuplicateKeyError

from shared.clock import Clock
from shared.contracts.messaging import Credits
from shared.mongo import Database


@dataclass(frozen=True, slots=True)
class CreditRepository:
    """The credit_accounts and credit_entries collections."""

    database: Database
    now: Clock
    default_credits: int

    @property
    def _accounts(self) -> Any:
        return self.database["credit_accounts"]

    @property
    def _entries(self) -> Any:
        return self.database["credit_entries"]

    async def get(self, user_id: str) -> Credits:
        """A user's balance; the first look opens the account with the default grant."""
        account = await self._accounts.find_one({"_id": user_id}) or await self._open(user_id)
        used = account["granted"] - account["free"]
        return Credits(remaining_credits=account["free"], total_used=used, total_granted=account["granted"])

    async def _open(self, user_id: str) -> Any:
        """Write the grant's entry, then the account; either may exist already from a try that was cut short."""
        entry = {"_id": f"grant:initial:{user_id}", "user_id": user_id, "amount": self.default_credits}
        account = {"_id": user_id, "granted": self.default_credits, "free": self.default_credits}
        for collection, document in ((self._entries, entry), (self._accounts, account)):
            try:
                await collection.insert_one(document | {"created_at": self.now()})
            except DuplicateKeyError:
                continue
        return await self._accounts.find_one({"_id": user_id})
