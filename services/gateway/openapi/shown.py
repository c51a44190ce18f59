"""What the models of all answers share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


def left_out() -> Any:
    """Marks a member that an answer leaves out when there is nothing to say; it is never null."""


class Shown(BaseModel):
    """A part of an answer. Members may be added in time; clients ignore those that they do not know."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class FieldProblem(Shown):
    """One field that is wrong."""

    field: str
    """Its path, e.g. `template.buttons[0].url`; empty for the body itself."""
    message: str
