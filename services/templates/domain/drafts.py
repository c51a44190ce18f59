"""Drafts of templates, and what people say about variables."""

from collections.abc import Callable, Sequence

from services.templates.domain.discovery import stored_language
from services.templates.domain.statuses import DRAFT
from services.templates.domain.variables import Component, Placeholder, is_named, placeholders, template_variables
from shared.clock import Clock
from shared.contracts.messaging import NumberAccess
from shared.contracts.template_drafts import CreateTemplate, EditTemplate, VariableInput
from shared.contracts.templates import ParameterFormat, Template, TemplateVariable
from shared.errors import InvalidInputError

NewId = Callable[[str], str]


def drafted_template(command: CreateTemplate, access: NumberAccess, now: Clock, new_id: NewId) -> Template:
    """The draft that a command asks for. Raises InvalidInputError for a variable without a place."""
    at = now()
    return Template(
        template_id=command.template_id,
        user_id=access.user_id,
        phone_number_id=access.phone_number_id,
        waba_id=access.waba_id or "",
        name=command.name,
        language=stored_language(command.language),
        category=command.category.upper(),
        status=DRAFT,
        parameter_format=command.parameter_format or parameter_format_of(command.components),
        components=command.components,
        variables=said_variables(command.components, command.category, command.variables, new_id=new_id),
        created_at=at,
        updated_at=at,
    )


def edited_template(template: Template, command: EditTemplate, new_id: NewId) -> Template:
    """The template as it is to be; its status stays. Raises InvalidInputError for a variable without a place."""
    components = template.components if command.components is None else command.components
    category = template.category if command.category is None else command.category.upper()
    if command.variables is None:
        variables = template_variables(components, category, new_id=new_id, known=template.variables)
    else:
        variables = said_variables(components, category, command.variables, new_id=new_id, known=template.variables)
    changes = {
        "name": command.name or template.name,
        "language": stored_language(command.language) if command.language else template.language,
        "category": category,
        "components": components,
        "parameter_format": parameter_format_of(components),
        "variables": variables,
    }
    return template.model_copy(update=changes)


def parameter_format_of(components: Sequence[Component]) -> ParameterFormat:
    """Named as soon as one placeholder is a word; buttons count always."""
    return "named" if is_named(components) else "positional"


def said_variables(
    components: Sequence[Component],
    category: str,
    said: Sequence[VariableInput],
    *,
    new_id: NewId,
    known: Sequence[TemplateVariable] = (),
) -> tuple[TemplateVariable, ...]:
    """The variables of a template with what is said of them; known ones keep their ids.

    Raises InvalidInputError naming the first that the components have no place for, or that is said twice.
    """
    gaps = list(placeholders(components, category))
    at = _places(gaps, said)
    found = template_variables(components, category, new_id=new_id, known=_ids_only(known))
    variables = tuple(
        _spoken_of(variable, gap, said[at[index]]) if index in at else variable
        for index, (variable, gap) in enumerate(zip(found, gaps, strict=True))
    )
    _require_different_names(said, variables)
    return variables


def _places(gaps: Sequence[Placeholder], said: Sequence[VariableInput]) -> dict[int, int]:
    """Which gap each variable means: the gap's index to the variable's."""
    places: dict[int, int] = {}
    for position, variable in enumerate(said):
        place = next((index for index, gap in enumerate(gaps) if _means(variable, gap)), None)
        if place is None:
            raise _refused(f"variables[{position}]", _no_place(variable, gaps))
        if place in places:
            raise _refused(f"variables[{position}]", f"is the variable of variables[{places[place]}] again")
        places[place] = position
    return places


def _means(variable: VariableInput, gap: Placeholder) -> bool:
    if variable.component_type != gap.component_type:
        return False
    return variable.variable_name == gap.name if gap.by_name else variable.position == gap.position


def _no_place(variable: VariableInput, gaps: Sequence[Placeholder]) -> str:
    here = [gap for gap in gaps if gap.component_type == variable.component_type]
    where = variable.component_type.lower()
    if not here:
        return f"names a variable of the {where}, which has none"
    those = ", ".join(f"{{{{{gap.name}}}}}" if gap.by_name else f"position {gap.position}" for gap in here)
    return f"({variable.variable_name}) has no place in the {where}, which has {those}"


def _require_different_names(said: Sequence[VariableInput], variables: Sequence[TemplateVariable]) -> None:
    names = [variable.variable_name for variable in variables]
    for name in (variable.variable_name for variable in said):
        if names.count(name) > 1:
            raise _refused("variables", f"must have different names, but {name} is there twice")


def _ids_only(known: Sequence[TemplateVariable]) -> list[TemplateVariable]:
    """Known variables without what people said of them: it is being said anew."""
    return [
        TemplateVariable(
            variable_id=variable.variable_id,
            variable_name=variable.variable_name,
            position=variable.position,
            component_type=variable.component_type,
            is_required=True,
        )
        for variable in known
    ]


def _spoken_of(variable: TemplateVariable, gap: Placeholder, said: VariableInput) -> TemplateVariable:
    words = said.model_dump(exclude={"component_type", "position"})
    return variable.model_copy(update=words | {"sample_value": said.sample_value or gap.sample})


def _refused(field: str, words: str) -> InvalidInputError:
    message = f"{field} {words}"
    return InvalidInputError(message, details=[{"field": field, "message": message}])
