"""Templates before Meta sees them: drafted, changed, and what is said of their variables."""

from typing import Any

import pytest

from shared.contracts.template_drafts import SetTemplateVariables, TemplateDetails, VariableInput
from shared.contracts.templates import TemplateVariable
from shared.errors import ConflictError, InvalidInputError, NotFoundError
from shared.mongo import Database
from tests.templates.drafting import ORDER_UPDATE, SOUND, VARIABLES, create, details, draft, edit, sound, submit
from tests.templates.stage import NOON, MetaStub, Stage, body, entry, set_stage, update


@pytest.fixture
def meta() -> MetaStub:
    """Meta, who takes everything."""
    return MetaStub()


@pytest.fixture
async def stage(database: Database, meta: MetaStub) -> Stage:
    """The service with an empty database."""
    return await set_stage(database, meta)


async def test_the_example_of_the_dashboard_api_becomes_a_draft_with_a_warning(stage: Stage) -> None:
    made = await create(stage, draft())

    template = made.template
    assert made.warnings == ("variable_at_end: components[0].text must not end with a variable (2388299)",)
    assert (template.status, template.name, template.waba_id, template.created_at) == (
        "DRAFT",
        "order_update",
        "102",
        NOON,
    )
    assert [one.model_dump(exclude={"variable_id"}) for one in template.variables][1] == {
        "variable_name": "order_id",
        "position": 2,
        "component_type": "BODY",
        "extraction_field": None,
        "default_value": None,
        "sample_value": "12345",
        "description": "Order number",
        "is_required": True,
        "placeholder": None,
    }
    assert stage.announced() == [template]
    assert (await details(stage)).template == template


async def test_drafting_again_under_the_same_id_makes_nothing_new(stage: Stage) -> None:
    first = await create(stage, draft())
    stage.pass_time()

    again = await create(stage, draft())

    assert again == first
    assert len(await stage.listed()) == 1


@pytest.mark.parametrize("changes", [{}, {"name": "order_update", "language": "EN"}])
async def test_a_name_is_taken_once_for_each_language(stage: Stage, changes: dict[str, Any]) -> None:
    await create(stage, draft())

    with pytest.raises(ConflictError, match="A template with this name and language already exists on this account"):
        await create(stage, draft("tpl_2", **changes))
    await create(stage, draft("tpl_3", language="fr"))
    await create(stage, draft("tpl_4", name="another"))

    assert len(await stage.listed()) == 3


async def test_a_number_of_another_user_or_no_whatsapp_number_gets_no_template(stage: Stage) -> None:
    stage.messaging.add("pn_2", "usr_2", "103")
    stage.messaging.add("pn_ig", "usr_1", None, "instagram")

    with pytest.raises(NotFoundError, match="Phone number not found"):
        await create(stage, draft(phone_number_id="pn_2"))
    with pytest.raises(NotFoundError, match="Phone number not found"):
        await create(stage, draft(phone_number_id="pn_unknown"))
    with pytest.raises(InvalidInputError, match="WhatsApp phone numbers only"):
        await create(stage, draft(phone_number_id="pn_ig"))


@pytest.mark.parametrize(
    ("components", "said", "message"),
    [
        (
            (ORDER_UPDATE,),
            VariableInput(variable_name="city", position=4),
            r"variables\[0\] \(city\) has no place in the body, which has position 1, position 2, position 3",
        ),
        (
            (ORDER_UPDATE,),
            VariableInput(variable_name="city", position=1, component_type="HEADER"),
            r"variables\[0\] names a variable of the header, which has none",
        ),
        (
            (body("Hi {{first_name}}, hello."),),
            VariableInput(variable_name="name", position=1),
            r"variables\[0\] \(name\) has no place in the body, which has \{\{first_name\}\}",
        ),
    ],
)
async def test_a_variable_without_a_place_is_refused(
    stage: Stage, components: Any, said: VariableInput, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await create(stage, draft(components=components, variables=(said,)))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (VariableInput(variable_name="other", position=1), r"variables\[1\] is the variable of variables\[0\] again"),
        (VariableInput(variable_name="name", position=2), "variables must have different names, but name is there tw"),
    ],
)
async def test_variables_are_told_apart(stage: Stage, second: VariableInput, message: str) -> None:
    first = VariableInput(variable_name="name", position=1)

    with pytest.raises(InvalidInputError, match=message):
        await create(stage, draft(variables=(first, second)))


async def test_a_placeholder_nobody_spoke_of_is_a_required_variable_with_metas_sample(stage: Stage) -> None:
    made = await create(stage, draft(variables=()))

    shown = [(one.variable_name, one.sample_value, one.is_required) for one in made.template.variables]
    assert shown == [("variable_1", "John", True), ("variable_2", "12345", True), ("variable_3", "shipped", True)]


async def test_named_placeholders_make_a_named_template(stage: Stage) -> None:
    said = VariableInput(variable_name="first_name", extraction_field="name")
    made = await create(stage, draft(components=(body("Hi {{first_name}}, hello."),), variables=(said,)))

    assert made.template.parameter_format == "named"
    assert [(one.variable_name, one.position, one.extraction_field) for one in made.template.variables] == [
        ("first_name", 1, "name")
    ]


async def test_a_draft_is_changed_and_its_variables_keep_their_ids(stage: Stage) -> None:
    first = (await create(stage, draft())).template
    stage.pass_time()

    changed = await edit(stage, name="order_news", components=({**ORDER_UPDATE, "text": "{{1}}, {{2}}: {{3}} it is"},))

    assert changed.warnings == ("variable_at_start: components[0].text must not start with a variable (2388299)",)
    assert (changed.template.name, changed.template.status) == ("order_news", "DRAFT")
    assert changed.template.variables == first.variables
    assert changed.template.updated_at > first.updated_at
    assert stage.announced()[-1] == changed.template


async def test_a_draft_does_not_take_the_name_of_another(stage: Stage) -> None:
    await create(stage, draft())
    await create(stage, draft("tpl_2", name="another"))

    with pytest.raises(ConflictError, match="already exists"):
        await edit(stage, "tpl_2", name="order_update")


@pytest.mark.parametrize("status", ["PENDING", "APPROVED", "PAUSED", "DISABLED"])
async def test_what_meta_has_taken_is_not_changed(stage: Stage, meta: MetaStub, status: str) -> None:
    meta.answers.append({"id": "77", "status": status, "category": "UTILITY"})
    await create(stage, sound())
    await submit(stage)

    with pytest.raises(ConflictError, match=f"Only a DRAFT or REJECTED template can be changed; this one is {status}"):
        await edit(stage, category="MARKETING")


async def test_a_rejected_template_is_changed_but_keeps_name_language_and_kind(stage: Stage) -> None:
    await create(stage, sound())
    await submit(stage)
    await stage.hear(update("REJECTED", stage.pass_time(), "77", reason="INVALID_FORMAT"))

    changed = await edit(stage, components=(body("Hi {{1}}, all is very well."),), category="MARKETING")

    assert (changed.template.status, changed.template.category) == ("REJECTED", "MARKETING")
    for changes in ({"name": "other"}, {"language": "fr"}, {"components": (body("Hi {{who}}, hello."),)}):
        with pytest.raises(ConflictError, match="cannot be changed once Meta knows the template"):
            await edit(stage, **changes)


async def test_a_sync_leaves_a_rejected_template_alone_that_was_changed_since(stage: Stage, meta: MetaStub) -> None:
    await create(stage, sound())
    await submit(stage)
    await stage.hear(update("REJECTED", stage.pass_time(), "77"))
    await edit(stage, components=(body("Hi {{1}}, all is very well."),))
    meta.entries = [entry("77", "order_update", language="en", status="REJECTED", components=[SOUND])]

    result = await stage.sync()

    assert result.updated == ()
    assert (await details(stage)).template.components == (body("Hi {{1}}, all is very well."),)


async def set_variables(stage: Stage, *said: VariableInput) -> TemplateDetails:
    command = SetTemplateVariables(template_id="tpl_1", variables=said)
    return await stage.bus.request(command, timeout_seconds=20)


async def test_variables_are_said_anew_in_any_status_and_announced(stage: Stage) -> None:
    made = (await create(stage, draft())).template
    await submit(stage)
    stage.pass_time()

    changed = await set_variables(stage, VariableInput(variable_name="who", position=1, extraction_field="name"))

    first, second, _ = changed.template.variables
    assert first == TemplateVariable(
        variable_id=made.variables[0].variable_id,
        variable_name="who",
        position=1,
        component_type="BODY",
        extraction_field="name",
        sample_value="John",
    )
    assert (second.variable_name, second.description, second.is_required) == ("order_id", None, True)
    assert stage.announced()[-1] == changed.template


async def test_a_variable_that_the_template_does_not_have_cannot_be_said(stage: Stage) -> None:
    await create(stage, draft())

    with pytest.raises(InvalidInputError, match=r"variables\[1\] \(city\) has no place"):
        await set_variables(stage, VARIABLES[0], VariableInput(variable_name="city", position=7))


async def test_an_unknown_template_is_not_found_by_anything(stage: Stage) -> None:
    for work in (details(stage), edit(stage, category="UTILITY"), submit(stage), set_variables(stage)):
        with pytest.raises(NotFoundError, match="Template not found"):
            await work


async def test_what_no_database_can_keep_is_refused(stage: Stage) -> None:
    parts = ({"type": "BODY", "text": "Hi", "example": {"body_text": [[237941229870271636176896]]}},)

    with pytest.raises(InvalidInputError, match="cannot be stored"):
        await create(stage, draft(components=parts, variables=()))
