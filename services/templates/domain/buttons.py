"""The buttons of a template under the ids that messaging sends with them, and which of them a tap means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.button_ids import button_id
from shared.contracts.conversations import ClickedButton
from shared.contracts.templates import Template


@dataclass(frozen=True, slots=True)
class Button:
    """A button of a template. `index` is Meta's within the template or card, from 0."""

    button_id: str
    text: str
    type: str
    index: int


def buttons_of(template: Template) -> tuple[Button, ...]:
    """All buttons, those of cards after the template's own, in the order in which messaging names them."""
    taken: set[str] = set()
    return tuple(_button(index, button, taken) for index, button in _listed(template.components))


def tapped(click: ClickedButton, template: Template | None) -> tuple[str, str]:
    """The id and the label of the button that was tapped.

    Our own payload names it; a caller's payload does not, but then its place or its label does. A tap on a message
    without a template, or on a button that the template no longer has, gets an id from its label.
    """
    buttons = buttons_of(template) if template is not None else ()
    label = (click.text or click.payload or "button").strip()
    for found in (
        [each for each in buttons if each.button_id == click.payload],
        [each for each in buttons if each.text == click.text and click.button_index in {None, each.index}],
        [each for each in buttons if each.text == click.text],
        [each for each in buttons if each.index == click.button_index],
    ):
        if found:
            return found[0].button_id, found[0].text
    return button_id(label, click.button_index or 0, set()), label


def _listed(components: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    parts = {str(component.get("type", "")).upper(): component for component in components}
    yield from enumerate(parts.get("BUTTONS", {}).get("buttons") or ())
    for card in parts.get("CAROUSEL", {}).get("cards") or ():
        of_card = {str(part.get("type", "")).upper(): part for part in card.get("components") or ()}
        yield from enumerate(of_card.get("BUTTONS", {}).get("buttons") or ())


def _button(index: int, button: Mapping[str, Any], taken: set[str]) -> Button:
    kind, text = str(button.get("type", "")).upper(), str(button.get("text") or "")
    shown = text or kind.replace("_", " ").capitalize()  # a coupon's button has Meta's label, not ours
    return Button(button_id(text, index, taken), shown, kind, index)
