"""Sends that Meta refuses, with its code and its words."""

from typing import Any

import pytest

from .conftest import RECIPIENT, Sandbox, details_of, error_of

IMAGE = {"link": "https://cdn.example.com/a.png"}
REPLY = {"type": "reply", "reply": {"id": "yes", "title": "Yes"}}
ROW = {"id": "r1", "title": "Row"}
CTA = {"name": "cta_url", "parameters": {"display_text": "Go", "url": "https://example.com"}}
QUICK_REPLY = {"type": "quick_reply", "quick_reply": {"id": "more", "title": "More"}}


def text(body: Any) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


def interactive(kind: str, action: Any, **more: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "Hi"}, "action": action} | more}


def buttons(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return interactive("button", {"buttons": list(rows)}, **more)


def reply(button_id: str, title: str) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": button_id, "title": title}}


def sections(*numbers: int, **more: Any) -> dict[str, Any]:
    rows = [[{"id": f"{index}-{row}", "title": "Row"} for row in range(number)] for index, number in enumerate(numbers)]
    return interactive("list", {"button": "Open", "sections": [{"rows": part, **more} for part in rows]})


def card(index: int, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    header = {"type": "image", "image": IMAGE}
    return {"card_index": index, "type": "cta_url", "header": header, "action": action} | more


def carousel(*cards: dict[str, Any], **more: Any) -> dict[str, Any]:
    return interactive("carousel", {"cards": list(cards)}, **more)


ACCEPTED = {
    "text": text("Hello"),
    "text without type": {"text": {"body": "Hello"}},
    "text of 4096 characters": text("x" * 4096),
    "quoting text": text("Hello") | {"context": {"message_id": "wamid.A"}},
    "number with spaces": text("Hello") | {"to": "+1 (415) 555-0123"},
    "image": {"type": "image", "image": IMAGE | {"caption": "A"}},
    "image by id": {"type": "image", "image": {"id": "1479537139650973"}},
    "video": {"type": "video", "video": {"link": "https://cdn.example.com/a.mp4", "caption": "A"}},
    "voice note": {"type": "audio", "audio": {"link": "https://cdn.example.com/a.ogg", "voice": True}},
    "document": {"type": "document", "document": {"link": "https://cdn.example.com/a.pdf", "filename": "a.pdf"}},
    "sticker": {"type": "sticker", "sticker": {"id": "798882015472548"}},
    "location": {"type": "location", "location": {"latitude": "37.4", "longitude": -122.1, "name": "Here"}},
    "contact": {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana", "first_name": "Ana"}}]},
    "reaction": {"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": ""}},
    "three buttons": buttons(reply("a", "A"), reply("b", "B"), reply("c", "C"), footer={"text": "F"}),
    "buttons under a picture": buttons(REPLY, header={"type": "image", "image": IMAGE}),
    "buttons under a document": buttons(
        REPLY, header={"type": "document", "document": {"link": "https://cdn.example.com/a.pdf", "filename": "a.pdf"}}
    ),
    "cta_url": interactive("cta_url", CTA, header={"type": "text", "text": "H"}),
    "ten rows": sections(5, 5, title="Part"),
    "carousel of links": carousel(card(0, CTA), card(1, CTA)),
    "carousel of quick replies": carousel(card(0, {"buttons": [QUICK_REPLY]}), card(1, {"buttons": [QUICK_REPLY]})),
    "carousel of both": carousel(card(0, CTA | {"buttons": [QUICK_REPLY]}), card(1, CTA | {"buttons": [QUICK_REPLY]})),
}


@pytest.mark.parametrize("content", ACCEPTED.values(), ids=ACCEPTED)
async def test_what_meta_documents_is_accepted(sandbox: Sandbox, content: dict[str, Any]) -> None:
    status, body = await sandbox.send(content)

    assert (status, list(body)) == (200, ["messaging_product", "contacts", "messages"])
    assert body["messages"][0]["id"].startswith("wamid.")
    assert body["contacts"][0]["wa_id"] == "14155550123"


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "another product": ({"messaging_product": "sms"}, 100, "(#100) Param messaging_product must be one of {WHATSAPP} "
                        '- got "sms".'),
    "no text object": ({"type": "text"}, 100, "(#100) The parameter text is required."),
    "no body": ({"type": "text", "text": {}}, 100, "(#100) The parameter text['body'] is required."),
    "empty body": (text(""), 100, "(#100) The parameter text['body'] is required."),
    "body not a string": (text(7), 100, "(#100) Param text['body'] must be a string."),
    "text too long": (text("x" * 4097), 100, "(#100) Param text['body'] must be at most 4096 characters long."),
    "unknown key": ({"type": "text", "text": {"body": "a", "bold": True}}, 100,
                    '(#100) Unexpected key "bold" on param "text".'),
    "opaque too long": (text("a") | {"biz_opaque_callback_data": "x" * 513}, 100,
                        "(#100) Param biz_opaque_callback_data must be at most 512 characters long."),
    "a group": (text("a") | {"recipient_type": "group"}, 100,
                '(#100) Param recipient_type must be one of {INDIVIDUAL} - got "group".'),
    "caption too long": ({"type": "image", "image": IMAGE | {"caption": "x" * 1025}}, 100,
                         "(#100) Param image['caption'] must be at most 1024 characters long."),
    "caption on audio": ({"type": "audio", "audio": {"id": "1", "caption": "no"}}, 100,
                         '(#100) Unexpected key "caption" on param "audio".'),
    "link not a link": ({"type": "image", "image": {"link": "nope"}}, 100,
                        "(#100) Param image['link'] is not a valid URI."),
    "latitude out of range": ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 100,
                              "(#100) Param location['latitude'] must be a number between -90 and 90."),
    "no action": ({"type": "interactive", "interactive": {"type": "button", "body": {"text": "a"}}}, 100,
                  "Your request has violated JSON schema constraint 'required' for the JSON field 'interactive', "
                  "please check the JSON schema for the JSON field 'interactive' and make sure your request is valid "
                  "for missing : 'action'"),
    "URL card without type": (
        carousel({name: value for name, value in card(0, CTA).items() if name != "type"}, card(1, CTA)), 100,
        "Your request has violated JSON schema constraint 'required' for the JSON field "
        "'interactive.action.cards.0', please check the JSON schema for the JSON field 'interactive.action.cards.0' "
        "and make sure your request is valid for missing : 'type'"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "code", "message"), REFUSED.values(), ids=REFUSED)
async def test_a_broken_message_is_refused_in_metas_words(
    sandbox: Sandbox, content: dict[str, Any], code: int, message: str
) -> None:
    answer = await sandbox.send(content)

    assert answer[0] == 400
    assert (error_of(answer)["code"], error_of(answer)["message"]) == (code, message)
    assert error_of(answer)["type"] == "OAuthException"
    assert error_of(answer)["fbtrace_id"].startswith("A")


BUTTON_COUNT = "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3"
REFUSED_VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "number malformed": (text("a") | {"to": "+1-FLOWERS"}, "The phone number is malformed: Please use the format: "
                         "+1234567890."),
    "button title too long": (buttons(reply("a", "x" * 21)), "Button title length invalid. Min length: 1, Max "
                              "length: 20"),
    "button id too long": (buttons(reply("x" * 257, "A")), "Button reply id length invalid. Min length: 1, Max "
                           "length: 256"),
    "four buttons": (buttons(*(reply(str(index), str(index)) for index in range(4))), BUTTON_COUNT),
    "no buttons": (buttons(), BUTTON_COUNT),
    "same button id": (buttons(reply("a", "A"), reply("a", "B")), "Duplicated button reply id"),
    "same button title": (buttons(reply("a", "A"), reply("b", "A")), "Duplicated button title"),
    "body too long": (buttons(REPLY, body={"text": "x" * 1025}), "Body text length invalid. Min length: 1, Max "
                      "length: 1024"),
    "footer too long": (buttons(REPLY, footer={"text": "x" * 61}), "Footer text length invalid. Min length: 1, Max "
                        "length: 60"),
    "header too long": (buttons(REPLY, header={"type": "text", "text": "x" * 61}), "Header text length invalid. Min "
                        "length: 1, Max length: 60"),
    "eleven rows": (sections(6, 5, title="Part"), "Total row count exceed max allowed count: 10"),
    "sections without title": (sections(1, 1), "Section title is required when there is more than one section"),
    "section title too long": (sections(1, title="x" * 25), "Section title is too long. Max length is 24"),
    "row title too long": (
        interactive("list", {"button": "Open", "sections": [{"rows": [ROW | {"title": "x" * 25}]}]}),
        "Row title is too long. Max length is 24"),
    "row description too long": (
        interactive("list", {"button": "Open", "sections": [{"rows": [ROW | {"description": "x" * 73}]}]}),
        "Row description is too long. Max length is 72"),
    "one card": (carousel(card(0, CTA)), "Invalid cards count. Min allowed cards: 2, Max allowed cards: 10"),
    "cards differ": (carousel(card(0, CTA), card(1, {"buttons": [QUICK_REPLY]})),
                     "All cards of a carousel must have the same buttons"),
    "same card index": (carousel(card(0, CTA), card(0, CTA)), "Card index must be unique and in the range of the "
                        "cards"),
    "card body too long": (carousel(card(0, CTA, body={"text": "x" * 161}), card(1, CTA)),
                           "Card body text length invalid. Min length: 1, Max length: 160"),
    "card body of four lines": (carousel(card(0, CTA, body={"text": "a\nb\nc\nd"}), card(1, CTA)),
                                "Card body text must have at most 2 line breaks"),
    "footer on a carousel": (carousel(card(0, CTA), card(1, CTA), footer={"text": "F"}),
                             "Footer is not supported for interactive type carousel"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "details"), REFUSED_VALUES.values(), ids=REFUSED_VALUES)
async def test_a_limit_of_interactive_messages_is_131009(
    sandbox: Sandbox, content: dict[str, Any], details: str
) -> None:
    answer = await sandbox.send(content)

    assert (answer[0], error_of(answer)["code"], details_of(answer)) == (400, 131009, details)
    assert error_of(answer)["message"] == "(#131009) Parameter value is not valid"


async def test_an_unknown_type_is_told_the_known_ones(sandbox: Sandbox) -> None:
    answer = await sandbox.send({"type": "fax", "fax": {}})

    assert error_of(answer)["message"] == (
        "(#100) Param type must be one of {AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, REACTION, STICKER, "
        'TEMPLATE, TEXT, VIDEO} - got "fax".'
    )


async def test_media_needs_an_id_or_a_link_and_not_both(sandbox: Sandbox) -> None:
    neither = await sandbox.send({"type": "image", "image": {"caption": "A"}})
    both = await sandbox.send({"type": "image", "image": IMAGE | {"id": "1"}})

    assert details_of(neither) == "image: Either one of media ID or link must be present"
    assert details_of(both) == "image: Only one of them may be present"


async def test_an_unknown_top_level_key_is_refused(sandbox: Sandbox) -> None:
    answer = await sandbox.send_text(texts="again")

    assert (error_of(answer)["code"], details_of(answer)) == (100, 'Unexpected key "texts"')


async def test_without_a_recipient_nothing_is_sent(sandbox: Sandbox) -> None:
    answer = await sandbox.send(text("a") | {"to": None})

    assert error_of(answer)["message"] == "(#100) The parameter to is required."


async def test_a_number_without_plus_gets_the_business_numbers_country(sandbox: Sandbox) -> None:
    _, body = await sandbox.send_text(to="4155550123")

    assert body["contacts"] == [{"input": "4155550123", "wa_id": "14155550123"}]


async def test_a_business_scoped_id_is_a_recipient(sandbox: Sandbox) -> None:
    status, body = await sandbox.send({"to": None, "recipient": "US.13491208655302741918"} | text("a"))

    assert status == 200
    assert body["contacts"] == [{"input": "US.13491208655302741918", "user_id": "US.13491208655302741918"}]


async def test_a_number_cannot_write_to_itself(sandbox: Sandbox) -> None:
    number = await sandbox.get("/v23.0/106540352242922?fields=display_phone_number")

    answer = await sandbox.send_text(to=number["display_phone_number"])

    assert error_of(answer)["code"] == 131021


async def test_a_card_with_both_kinds_of_buttons_is_refused_when_strict(sandbox: Sandbox) -> None:
    await sandbox.set_faults(strict_carousel=True)

    answer = await sandbox.send(ACCEPTED["carousel of both"])

    assert details_of(answer) == "A card has either one URL button or quick replies, not both"


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"\xff"])
async def test_a_body_that_is_no_json_object_is_refused(sandbox: Sandbox, raw: bytes) -> None:
    headers = {"Authorization": "Bearer EAAtest"}

    async with sandbox.client.post("/v23.0/106540352242922/messages", data=raw, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["code"] == 100


async def test_reading_and_typing_are_acknowledged_and_are_no_messages(sandbox: Sandbox) -> None:
    body = {"status": "read", "message_id": "wamid.A", "typing_indicator": {"type": "text"}}

    answer = await sandbox.call("POST", "/v23.0/106540352242922/messages", {"messaging_product": "whatsapp"} | body)

    assert answer == (200, {"success": True})
    assert await sandbox.get("/_sandbox/calls") == {"calls": []}


ACCESS: dict[str, tuple[str, str, tuple[int, int, int | None]]] = {
    "no token": ("", "v23.0", (400, 104, None)),
    "expired token": ("EAASIM-expired-1", "v23.0", (401, 190, 463)),
    "token without permission": ("EAASIM-noperm", "v23.0", (403, 200, None)),
    "blocked account": ("EAASIM-blocked", "v23.0", (403, 368, None)),
    "busy app": ("EAASIM-appbusy", "v23.0", (400, 4, None)),
    "version that never was": ("EAA", "v99.0", (400, 2635, None)),
}


@pytest.mark.parametrize(("token", "version", "expected"), ACCESS.values(), ids=ACCESS)
async def test_a_bad_token_or_version_is_refused_first(
    sandbox: Sandbox, token: str, version: str, expected: tuple[int, int, int | None]
) -> None:
    answer = await sandbox.call("POST", f"/{version}/106540352242922/messages", {}, token)

    assert (answer[0], error_of(answer)["code"], error_of(answer).get("error_subcode")) == expected


async def test_two_equal_sends_make_two_messages(sandbox: Sandbox) -> None:
    _, first = await sandbox.send_text()
    _, second = await sandbox.send_text()

    assert first["messages"][0]["id"] != second["messages"][0]["id"]
    assert len((await sandbox.get(f"/_sandbox/messages?to={RECIPIENT}"))["messages"]) == 2
