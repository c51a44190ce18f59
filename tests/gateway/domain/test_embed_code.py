"""The lines to embed a web chat, byte for byte, whatever the channel is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.embed_code import config_url, embed_code

COLORS = {"primary_color": "#3B82F6", "secondary_color": "#EFF6FF"}


def test_the_lines_are_those_of_the_api_document() -> None:
    lines = embed_code("https://your-api.com", "webchat_usr_abc123_xyz789", "Customer Support Chat", **COLORS)

    assert lines == (
        "<!-- Customer Support Chat AI Chat Widget -->\n<webchat-widget \n"
        '  agent-id="webchat_usr_abc123_xyz789"\n  primary-color="#3B82F6"\n  secondary-color="#EFF6FF">\n'
        '</webchat-widget>\n<script src="https://your-api.com/widget.js" async></script>'
    )


def test_the_page_to_try_it_is_that_of_the_api_document() -> None:
    url = config_url("https://your-api.com", "webchat_usr_abc123_xyz789")

    assert url == "https://your-api.com/widget-config.html?agent_id=webchat_usr_abc123_xyz789"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('Ada\'s "Shop"', 'Ada\'s "Shop"'),
        ("Chat 🤖 für Zürich", "Chat 🤖 für Zürich"),
        ("a -- b", "a  b"),
        ("a --> <script>alert(1)</script>", "a  <scriptalert(1)</script"),
        ("a ->- b", "a  b"),
        ("a --- b", "a - b"),
        ("a --!> b", "a ! b"),
        ("{webchat_id}", "{webchat_id}"),
        ("two\nlines\x07", "two lines "),
    ],
)
def test_a_name_stays_inside_its_comment(name: str, shown: str) -> None:
    first_line = embed_code("https://x.io", "webchat_1", name, **COLORS).split("\n")[0]

    assert first_line == f"<!-- {shown} AI Chat Widget -->"


@given(st.text(max_size=60))
def test_no_name_ends_the_comment_early_or_adds_a_line(name: str) -> None:
    lines = embed_code("https://x.io", "webchat_1", name, **COLORS)

    comment, _, rest = lines.partition(" AI Chat Widget -->\n")
    assert rest.startswith("<webchat-widget \n")
    assert ">" not in comment
    assert "--" not in comment.removeprefix("<!--")
    assert len(lines.splitlines()) == 7
