"""Who tapped which button of which template: kept by templates, from messaging's `ButtonsClicked`."""

from typing import ClassVar

from pydantic import AwareDatetime, Field

from shared.contracts.base import Contract, Identifier, Item, Query, Reply


class ButtonCount(Contract):
    """How often a button was tapped, and by how many people. Meta reports taps on quick replies only."""

    button_id: str
    button_text: str
    type: str | None  # Meta's; None for a button that the template no longer has
    total_clicks: int
    unique_clicks: int


class TemplateButtonClicks(Reply):
    """The buttons of a template in their order, untapped ones too, then those it used to have."""

    template_id: Identifier
    template_name: str
    buttons: tuple[ButtonCount, ...]
    total_clicks: int


class GetTemplateButtonClicks(Query[TemplateButtonClicks]):
    """The taps on one template, also on a deleted one. Raises NotFoundError."""

    message_type: ClassVar[str] = "templates.get_template_button_clicks.v1"
    reply_type: ClassVar[type[Reply]] = TemplateButtonClicks

    template_id: Identifier


class ButtonClick(Item):
    """One tap; without a template it was on a message that was not made from one."""

    click_id: Identifier
    template_id: Identifier | None
    button_id: str
    button_text: str
    customer_phone: str
    clicked_at: AwareDatetime


class ButtonClicks(Reply):
    """One page, newest first, and how many there are on all pages."""

    items: tuple[ButtonClick, ...]
    total: int


class ListButtonClicks(Query[ButtonClicks]):
    """A user's taps, perhaps of one template; an unknown user has none."""

    message_type: ClassVar[str] = "templates.list_button_clicks.v1"
    reply_type: ClassVar[type[Reply]] = ButtonClicks

    user_id: Identifier
    template_id: Identifier | None = None
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=50, ge=1, le=200)


class ClickedOnce(Item):
    """The latest tap of a customer on one button."""

    template_name: str | None
    button_text: str
    clicked_at: AwareDatetime


class LeadButtonActivity(Reply):
    """What a customer tapped: each button once, the latest first; `total_clicks` counts every tap."""

    buttons_clicked: tuple[ClickedOnce, ...]
    total_clicks: int


class GetLeadButtonActivity(Query[LeadButtonActivity]):
    """What one customer of a user tapped; nothing for an unknown one."""

    message_type: ClassVar[str] = "templates.get_lead_button_activity.v1"
    reply_type: ClassVar[type[Reply]] = LeadButtonActivity

    user_id: Identifier
    customer_phone: str
