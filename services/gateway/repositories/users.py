"""Users: the businesses whose numbers, templates and messages these are."""

from dataclasses import dataclass
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from shared.errors import ConflictError, NotFoundError
from shared.mongo import Database, Document


@dataclass(frozen=True, slots=True)
class User:
    """A user; the id comes from the caller's own system."""

    user_id: str
    email: str
    company_name: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class UserRepository:
    """The collection `users`. E-mail addresses are kept as written and compared in lower case."""

    database: Database

    async def ensure_indexes(self) -> None:
        """Make e-mail addresses unique."""
        await self.database.users.create_index("email_lower", unique=True)

    async def add_once(self, user: User, work_id: str) -> User:
        """Store a user, or return the one that the same work stored before.

        Raises ConflictError when the id or the e-mail address belongs to another.
        """
        document = {
            "_id": user.user_id,
            "email": user.email,
            "email_lower": user.email.lower(),
            "company_name": user.company_name,
            "created_at": user.created_at,
            "updated_at": user.updated_at,
            "work_id": work_id,
        }
        try:
            await self.database.users.insert_one(document)
        except DuplicateKeyError:
            mine = await self.database.users.find_one({"_id": user.user_id, "work_id": work_id})
            if mine is None:
                raise ConflictError("User with this user_id or email already exists") from None
            return _to_user(mine)
        return user

    async def get(self, user_id: str) -> User:
        """The user. Raises NotFoundError."""
        document = await self.database.users.find_one({"_id": {"$eq": user_id}})
        if document is None:
            raise NotFoundError("User not found")
        return _to_user(document)


def _to_user(document: Document) -> User:
    return User(
        user_id=document["_id"],
        email=document["email"],
        company_name=document["company_name"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )
