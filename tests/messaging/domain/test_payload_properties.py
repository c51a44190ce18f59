"""Whatever is asked for, what is rendered has exactly the parameters that the approved template has."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.messaging.domain.payloads import Renderable, Rendered, graph_payload
from services.messaging.domain.templates import ApprovedTemplate
from shared.contracts.content import (
    CarouselCard,
    CarouselTemplateContent,
    LocationHeader,
    MediaHeader,
    TemplateButton,
    TemplateContent,
    TextHeader,
)
from shared.errors import InvalidInputError
from tests.messaging.domain.made import (
    COPY_CODE,
    NOW_MS,
    OFFER,
    PHONE,
    TO,
    approved,
    body,
    buttons,
    carousel,
    components_of,
    header,
    quick_reply,
    url,
)

BUTTONS = {
    "quick_reply": quick_reply("Yes"),
    "url": url(),
    "static": url("https://example.com"),
    "copy_code": COPY_CODE,
    "phone": PHONE,
}
HEADERS = ("none", "static", "text", "image", "video", "document", "location")
HEADER_VALUES = {
    "text": TextHeader(variables=("v",)),
    "image": MediaHeader(type="image", url="https://example.com/a"),
    "video": MediaHeader(type="video", url="https://example.com/a"),
    "document": MediaHeader(type="document", url="https://example.com/a"),
    "location": LocationHeader(latitude=1, longitude=2),
}


@dataclass(frozen=True)
class Plan:
    """What a template (or a card of it) is made of, counted without the code under test."""

    header: str
    variables: int
    buttons: tuple[str, ...]

    def components(self) -> list[dict[str, Any]]:
        text = "Hello " + " and ".join(f"{{{{{position}}}}}" for position in range(1, self.variables + 1)) + "!"
        made = [body(text), buttons(*(BUTTONS[kind] for kind in self.buttons))]
        if self.header == "none":
            return made
        title = {"static": "News", "text": "The {{1}} news"}.get(self.header)
        return [header("TEXT" if title else self.header.upper(), title), *made]

    def values(self) -> dict[str, Any]:
        given = {"quick_reply": {"payload": "P"}, "url": {"url": "x"}, "copy_code": {"payload": "CODE"}}
        return {
            "header": HEADER_VALUES.get(self.header),
            "variables": tuple("v" * self.variables),
            "buttons": tuple(
                TemplateButton.model_validate({"index": index, "sub_type": kind} | given[kind])
                for index, kind in enumerate(self.buttons)
                if kind in given
            ),
        }

    def shape(self) -> list[tuple[str, ...]]:
        needed: list[tuple[str, ...]] = [("header",)] if self.header in HEADER_VALUES else []
        needed += [("body", str(self.variables))] if self.variables else []
        sent = [(kind, str(index)) for index, kind in enumerate(self.buttons) if kind not in ("static", "phone")]
        return [*needed, *sent]


def shape(components: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """What was rendered, in the words of `Plan.shape`."""
    found: list[tuple[str, ...]] = []
    for component in components:
        if component["type"] == "header":
            assert len(component["parameters"]) == 1
            found.append(("header",))
        elif component["type"] == "body":
            found.append(("body", str(len(component["parameters"]))))
        elif component["type"] == "button":
            assert len(component["parameters"]) == 1
            found.append((component["sub_type"], component["index"]))
    return found


def plans(headers: tuple[str, ...] = HEADERS) -> st.SearchStrategy[Plan]:
    return st.builds(
        Plan,
        header=st.sampled_from(headers),
        variables=st.integers(0, 4),
        buttons=st.lists(st.sampled_from(sorted(BUTTONS)), max_size=4).map(tuple),
    )


def any_values() -> st.SearchStrategy[dict[str, Any]]:
    texts = st.sampled_from(["v", "value", "", "a\nb", "x" * 1100])
    given_buttons = st.builds(
        TemplateButton,
        index=st.integers(-1, 4),
        sub_type=st.sampled_from(["quick_reply", "url", "copy_code"]),
        payload=st.none() | texts,
        url=st.none() | texts,
    )
    return st.fixed_dictionaries(
        {
            "header": st.none() | st.sampled_from(list(HEADER_VALUES.values())),
            "variables": st.lists(texts, max_size=4).map(tuple)
            | st.dictionaries(st.sampled_from(["1", "2", "3", "name"]), texts, max_size=3),
            "buttons": st.lists(given_buttons, max_size=3).map(tuple),
        }
    )


def made(plan: Plan) -> ApprovedTemplate:
    return approved(*plan.components())


@given(plans())
@settings(deadline=None)
def test_fitting_values_are_always_rendered_in_the_template_s_shape(plan: Plan) -> None:
    rendered = graph_payload(TO, TemplateContent(name="made", **plan.values()), made(plan), now_ms=NOW_MS)

    assert shape(components_of(rendered.payload)) == plan.shape()
    assert rendered.warnings == ()


def outcome(content: Renderable, template: ApprovedTemplate) -> Rendered | InvalidInputError:
    try:
        return graph_payload(TO, content, template, now_ms=NOW_MS)
    except InvalidInputError as error:
        return error


CHANGES = st.sets(st.sampled_from(["header", "variables", "buttons"]))


@given(plans(), CHANGES, any_values(), st.none() | st.sampled_from(["CODE", "", "x" * 30]))
@settings(deadline=None, max_examples=300)
def test_any_values_are_rendered_in_the_template_s_shape_or_refused_by_field(
    plan: Plan, changes: set[str], values: dict[str, Any], copy_code: str | None
) -> None:
    mixed = plan.values() | {key: values[key] for key in changes}

    result = outcome(TemplateContent(name="made", copy_code=copy_code, **mixed), made(plan))

    if isinstance(result, InvalidInputError):
        assert [detail["field"].split(".")[0] for detail in result.details] == ["template"]
    else:
        assert shape(components_of(result.payload)) == plan.shape()


@given(plans(("image", "video")), st.integers(2, 4), CHANGES, any_values())
@settings(deadline=None)
def test_every_card_is_rendered_in_its_shape_or_the_carousel_is_refused(
    plan: Plan, count: int, changes: set[str], values: dict[str, Any]
) -> None:
    template = approved(body("Look."), carousel(*[plan.components()] * count))
    if not isinstance(values["header"], MediaHeader):
        values["header"] = None
    last = plan.values() | {key: values[key] for key in changes}
    cards = [CarouselCard(card_index=index, **plan.values()) for index in range(count - 1)]
    cards.append(CarouselCard(card_index=count - 1, **last))

    result = outcome(CarouselTemplateContent(template_name="made", cards=tuple(cards)), template)

    if isinstance(result, InvalidInputError):
        assert changes
        assert result.details[0]["field"].startswith(f"carousel.cards[{count - 1}]")
    else:
        (rendered,) = components_of(result.payload)
        assert [shape(card["components"]) for card in rendered["cards"]] == [plan.shape()] * count


@given(st.text("0123456789", min_size=1, max_size=15), st.booleans(), st.booleans())
@settings(deadline=None)
def test_a_one_time_password_is_always_sent_twice(code: str, in_body: bool, in_button: bool) -> None:
    template = approved(
        {"type": "BODY", "add_security_recommendation": True},
        buttons({"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}),
        category="AUTHENTICATION",
    )
    content = TemplateContent(
        name="made",
        variables=(code,) if in_body or not in_button else (),
        copy_code=code if in_button else None,
    )

    rendered = components_of(graph_payload(TO, content, template, now_ms=NOW_MS).payload)

    assert [component["parameters"][0]["text"] for component in rendered] == [code, code]


@given(plans(("none", "image", "video")), st.integers(NOW_MS + 1, NOW_MS * 2))
@settings(deadline=None)
def test_an_offer_is_the_last_component_before_the_buttons(plan: Plan, expires_at: int) -> None:
    content = TemplateContent(name="made", lto_expiration_time_ms=expires_at, **plan.values())

    rendered = components_of(graph_payload(TO, content, approved(OFFER, *plan.components()), now_ms=NOW_MS).payload)

    kinds = [component["type"] for component in rendered]
    assert kinds.count("limited_time_offer") == 1
    assert set(kinds[kinds.index("limited_time_offer") + 1 :]) <= {"button"}
    assert "button" not in kinds[: kinds.index("limited_time_offer")]
