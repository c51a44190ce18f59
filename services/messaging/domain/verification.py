"""What Meta says of a number, its account and its subscription, in words for whoever set them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contracts.messaging import MetaError
from shared.contracts.numbers import NumberCheck

_TOKEN_REFUSED = 190
_MISSING_PERMISSION = {3, 10, *range(200, 300)}
_NEW_TOKEN = "give the number a new one (PATCH /api/v1/phone-numbers/:id, access_token)"  # noqa: S105 - words, no token


@dataclass(frozen=True, slots=True)
class Told:
    """What Meta answered: a node or a list's `data`, a refusal, or nothing at all (`silence` says how)."""

    node: Mapping[str, Any] | None = None
    refusal: MetaError | None = None
    silence: str | None = None


def token_check(*told: Told) -> NumberCheck:
    """Whether Meta takes the access token, seen from all answers."""
    refusals = [each.refusal for each in told if each.refusal is not None]
    for refusal in refusals:
        if refusal.code == _TOKEN_REFUSED:
            return _bad("access_token", f"Meta does not accept the access token ({refusal.message}): {_NEW_TOKEN}.")
    for refusal in refusals:
        if refusal.code in _MISSING_PERMISSION:
            return _bad("access_token", f"The access token lacks a permission ({refusal.message}): {_NEW_TOKEN}.")
    if all(each.silence is not None for each in told):
        return _unheard("access_token", told[0])
    return NumberCheck(name="access_token", ok=True, message="Meta accepts the access token.")


def number_check(told: Told, meta_id: str) -> NumberCheck:
    """Whether Meta knows the number, and how it calls it."""
    name = "phone_number"
    if told.node is None:
        return _unseen(name, told, f"Meta shows no phone number {meta_id} to this token: check meta_phone_number_id.")
    shown = told.node.get("display_phone_number") or told.node.get("username") or meta_id
    quality = told.node.get("quality_rating")
    words = f"Meta knows it as {shown}" + (f", quality {quality}." if quality else ".")
    return NumberCheck(name=name, ok=True, message=words)


def waba_check(told: Told, waba_id: str, meta_id: str) -> NumberCheck:
    """Whether the number belongs to the account that it is said to belong to."""
    name = "waba"
    if told.node is None:
        return _unseen(name, told, f"Meta shows no WhatsApp Business Account {waba_id} to this token: check waba_id.")
    if meta_id in {str(entry.get("id")) for entry in _entries(told.node)}:
        return NumberCheck(name=name, ok=True, message=f"The number belongs to account {waba_id}.")
    return _bad(name, f"Account {waba_id} has no phone number {meta_id}: check waba_id and meta_phone_number_id.")


def subscription_check(told: Told, waba_id: str) -> NumberCheck:
    """Whether Meta sends the account's webhooks to an app; without them no status ever arrives."""
    name = "webhook_subscription"
    if told.node is None:
        return _unseen(name, told, f"Meta does not say which apps are subscribed to account {waba_id}.")
    if _entries(told.node):
        return NumberCheck(name=name, ok=True, message=f"An app is subscribed to account {waba_id}'s webhooks.")
    return _bad(
        name,
        f"No app is subscribed to account {waba_id}'s webhooks, so no status or reply arrives yet. "
        "Subscribing goes on in the background; it needs a token of our Meta app with whatsapp_business_management.",
    )


def nothing_to_ask() -> NumberCheck:
    """A web chat has no counterpart at Meta."""
    return NumberCheck(name="webchat", ok=True, message="A web chat channel needs nothing from Meta.")


def _entries(node: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    data = node.get("data")
    return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []


def _unseen(name: str, told: Told, words: str) -> NumberCheck:
    if told.refusal is not None:
        return _bad(name, f"{words} Meta says: {told.refusal.message}")
    return _unheard(name, told)


def _unheard(name: str, told: Told) -> NumberCheck:
    return _bad(name, f"Meta could not be asked ({told.silence}): try again in a moment.")


def _bad(name: str, message: str) -> NumberCheck:
    return NumberCheck(name=name, ok=False, message=message)
