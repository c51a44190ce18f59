"""What the bodies of changes share: members that are left out stay as they are, and one at least is given."""

from typing import Any, Self

from pydantic import ConfigDict, model_validator

from services.gateway.schemas.fields import Body
from shared.web.field_errors import field_error


def _one_is_required(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": [field]} for field in schema["properties"]]


class ChangeBody(Body):
    """What to change. Defaults stand for "left out" and are never used."""

    model_config = ConfigDict(json_schema_extra=_one_is_required)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            *most, last = type(self).model_fields
            raise field_error("", sentence=f"Nothing to change: give {', '.join(most)} or {last}")
        return self

    def changes(self) -> dict[str, Any]:
        """The members that were given."""
        return self.model_dump(include=self.model_fields_set)
