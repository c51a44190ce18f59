"""The lines that a site pastes to show a web chat."""

_TEMPLATE = (
    "<!-- {name} AI Chat Widget -->\n"
    "<webchat-widget \n"
    '  agent-id="{webchat_id}"\n'
    '  primary-color="{primary_color}"\n'
    '  secondary-color="{secondary_color}">\n'
    "</webchat-widget>\n"
    '<script src="{base_url}/widget.js" async></script>'
)


def embed_code(base_url: str, webchat_id: str, name: str, *, primary_color: str, secondary_color: str) -> str:
    """The snippet, byte for byte as the API documents write it; ids and colours hold nothing that HTML reads."""
    return _TEMPLATE.format(
        name=_in_comment(name),
        webchat_id=webchat_id,
        primary_color=primary_color,
        secondary_color=secondary_color,
        base_url=base_url,
    )


def config_url(base_url: str, webchat_id: str) -> str:
    """Where the widget's looks are tried; the parameter is called `agent_id` and holds the channel's id."""
    return f"{base_url}/widget-config.html?agent_id={webchat_id}"


def _in_comment(name: str) -> str:
    """The name without what could end the HTML comment that it stands in, on one line."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return printable.replace(">", "").replace("--", "")  # in this order: a `>` may stand between two dashes
