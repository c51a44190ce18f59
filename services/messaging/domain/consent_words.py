"""Words by which customers stop marketing, and want it again: the whole message, in their language.

A word that also means something else in a talk with a shop ("cancel", "end") is not among them.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.messaging.domain.inbound import InboundMessage

STOPPED: Final[Mapping[str, str]] = {
    "en": "You will get no more marketing messages from us. Send START to get them again.",
    "es": "No recibirás más mensajes promocionales nuestros. Envía INICIAR para volver a recibirlos.",
    "pt": "Você não receberá mais mensagens promocionais nossas. Envie INICIAR para voltar a recebê-las.",
    "fr": "Vous ne recevrez plus de messages promotionnels de notre part. Envoyez REPRENDRE pour en recevoir.",
    "de": "Sie erhalten keine Werbung mehr von uns. Senden Sie START, um sie wieder zu erhalten.",
    "it": "Non riceverai più messaggi promozionali da noi. Invia INIZIA per riceverli di nuovo.",
    "id": "Anda tidak akan menerima pesan promosi lagi dari kami. Kirim MULAI untuk menerimanya lagi.",
    "hi": "अब आपको हमारे प्रचार संदेश नहीं मिलेंगे। फिर से पाने के लिए START भेजें।",
    "bn": "আপনি আর আমাদের প্রচারমূলক বার্তা পাবেন না। আবার পেতে START পাঠান।",
    "ar": "لن تصلك منا رسائل ترويجية بعد الآن. أرسل START لتصلك من جديد.",
}
STARTED: Final[Mapping[str, str]] = {
    "en": "You will get our messages again. Send STOP to end them.",
    "es": "Volverás a recibir nuestros mensajes. Envía PARAR para dejar de recibirlos.",
    "pt": "Você voltará a receber nossas mensagens. Envie PARAR para deixar de recebê-las.",
    "fr": "Vous recevrez à nouveau nos messages. Envoyez ARRÊT pour ne plus les recevoir.",
    "de": "Sie erhalten unsere Nachrichten wieder. Senden Sie STOPP, um sie zu beenden.",
    "it": "Riceverai di nuovo i nostri messaggi. Invia FERMA per non riceverli più.",
    "id": "Anda akan menerima pesan kami lagi. Kirim BERHENTI untuk menghentikannya.",
    "hi": "आपको हमारे संदेश फिर से मिलेंगे। रोकने के लिए STOP भेजें।",
    "bn": "আপনি আবার আমাদের বার্তা পাবেন। বন্ধ করতে STOP পাঠান।",
    "ar": "ستصلك رسائلنا من جديد. أرسل STOP لإيقافها.",
}
_STOP: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "stop promotions", "stop marketing"),
    "es": ("parar", "baja", "darse de baja", "detener promociones", "cancelar suscripción"),
    "pt": ("sair", "descadastrar", "parar promoções", "cancelar inscrição"),
    "fr": ("arrêt", "arret", "arrêter", "désabonner", "se désabonner"),
    "de": ("stopp", "abmelden", "abbestellen"),
    "it": ("ferma", "disiscrivimi", "annulla iscrizione"),
    "id": ("berhenti", "berhenti berlangganan"),
    "hi": ("बंद", "बंद करो", "बंद करें", "रोकें", "band karo"),
    "bn": ("বন্ধ", "বন্ধ করুন", "থামুন"),
    "ar": ("توقف", "إيقاف", "ايقاف", "إلغاء الاشتراك", "الغاء الاشتراك"),
}
_START: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("start", "unstop", "subscribe", "opt in", "optin"),
    "es": ("iniciar", "alta", "suscribir"),
    "pt": ("inscrever",),
    "fr": ("reprendre", "s'abonner"),
    "de": ("anmelden",),
    "it": ("inizia", "iscrivimi"),
    "id": ("mulai",),
    "hi": ("शुरू", "शुरू करो", "शुरू करें"),
    "bn": ("শুরু", "শুরু করুন"),
    "ar": ("ابدأ", "اشتراك"),
}
_TAPPED: Final = frozenset({"stop_promotions", "opt_out", "unsubscribe", "stop"})  # payloads of opt-out buttons


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer wants to hear from now on."""

    opted_out: bool
    language: str
    is_tap: bool

    @property
    def confirmation(self) -> str:
        """What they are answered."""
        return (STOPPED if self.opted_out else STARTED)[self.language]


def wish_of(message: InboundMessage) -> Wish | None:
    """The wish that a message is, if it is nothing else."""
    if message.channel != "whatsapp" or message.type not in {"text", "button"}:
        return None
    said, is_tap = _plain(message.text or ""), message.type == "button"
    if said in _LANGUAGE_OF_STOP:
        return Wish(True, _LANGUAGE_OF_STOP[said], is_tap)
    if is_tap and str(message.content.get("payload", "")).casefold() in _TAPPED:
        return Wish(True, "en", is_tap)
    if not is_tap and said in _LANGUAGE_OF_START:
        return Wish(False, _LANGUAGE_OF_START[said], is_tap)
    return None


def _plain(text: str) -> str:
    """Without case, accents' spelling, punctuation at the ends and doubled spaces."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return " ".join(folded.strip(" \t\r\n.,!?¡¿\"'«»“”।").split())


_LANGUAGE_OF_STOP = {_plain(word): language for language, words in _STOP.items() for word in words}
_LANGUAGE_OF_START = {_plain(word): language for language, words in _START.items() for word in words}
