"""Every message as a user of pywa writes it. What pywa has no words for is named in UNSUPPORTED, with the reason."""

from collections.abc import Awaitable, Callable
from typing import Any

from pywa_async.client import WhatsApp
from pywa_async.types import templates as t
from pywa_async.types.callback import (
    Button,
    ImageCarouselCard,
    Section,
    SectionList,
    SectionRow,
    URLButton,
    VideoCarouselCard,
)

from tests.messaging.domain.made import TO

Send = Callable[[WhatsApp], Awaitable[Any]]

EN_US = t.TemplateLanguage.ENGLISH_US
EXAMPLE = "https://example.com"


def template(name: str, *params: Any) -> Send:
    """A template message."""
    return lambda wa: wa.send_template(TO, name=name, language=EN_US, params=list(params))


def body(*values: str) -> Any:
    """The values of a template's body. `BodyText.params` is typed as if it were called on a template."""
    params: Callable[..., Any] = t.BodyText.params
    return params(*values)


def header(value: str) -> Any:
    """The value of a template's text header."""
    params: Callable[..., Any] = t.HeaderText.params
    return params(value)


def offer_until(expiration_time_ms: int) -> dict[str, Any]:
    """By hand: pywa 4.5 writes seconds into `expiration_time_ms`."""
    offer = {"expiration_time_ms": expiration_time_ms}
    return {"type": "limited_time_offer", "parameters": [{"type": "limited_time_offer", "limited_time_offer": offer}]}


def picture(name: str) -> Any:
    """An image header."""
    return t.HeaderImage.params(image=f"{EXAMPLE}/{name}")


def coupon(index: int) -> Any:
    """The coupon of the flash sales."""
    return t.CopyCodeButton.params(coupon_code="FLASH30", index=index)


def product_card(index: int, name: str, price: str, payload: str, slug: str) -> Any:
    """A card of the carousel template."""
    return t.CarouselCard.params(
        index=index,
        params=[
            picture(f"product{index + 1}.jpg"),
            body(name, price),
            t.QuickReplyButton.params(callback_data=payload, index=0),
            t.URLButton.params(url_variable=slug, index=1),
        ],
    )


SALE = body("FLASH30", "30%")
SALE_LINK = t.URLButton.params(url_variable="?coupon=FLASH30", index=1)
ENDED = offer_until(1_740_000_000_000)
DEPARTMENTS = SectionList(
    "Choose Department",
    [
        Section(
            "Support",
            [
                SectionRow("Technical Support", "tech_support", "Help with technical issues"),
                SectionRow("Billing", "billing", "Invoices and payments"),
            ],
        ),
        Section(
            "Sales",
            [
                SectionRow("New Order", "new_order", "Place a new order"),
                SectionRow("Track Order", "track_order", "Check delivery status"),
            ],
        ),
    ],
)

MESSAGES: dict[str, Send] = {
    "cURL, frontend proxy": lambda wa: wa.send_message(TO, "Hello!"),
    "cURL, backend direct": lambda wa: wa.send_message(TO, "Hello!"),
    "1 text": lambda wa: wa.send_message(TO, "Hello! How can we help you today?"),
    "2 image": lambda wa: wa.send_image(TO, f"{EXAMPLE}/banner.jpg", "Check out our new collection!"),
    "3 video": lambda wa: wa.send_video(TO, f"{EXAMPLE}/promo.mp4", "Watch our product demo"),
    "4 audio": lambda wa: wa.send_audio(TO, f"{EXAMPLE}/voice-note.mp3"),
    "5 document": lambda wa: wa.send_document(
        TO, f"{EXAMPLE}/invoice.pdf", filename="Invoice_2025.pdf", caption="Your invoice for March 2025"
    ),
    "6a body variables": template("order_confirmation", body("John", "ORD-12345", "₹1,299")),
    "6b image header and variables": template("product_promo", picture("product.jpg"), body("Summer Sale", "40%")),
    "6c video header": template(
        "promo_video", t.HeaderVideo.params(video=f"{EXAMPLE}/promo.mp4"), body("Exclusive Offer")
    ),
    "6d document header": template(
        "invoice_ready",
        t.HeaderDocument.params(document=f"{EXAMPLE}/invoices/INV-12345.pdf", filename="INV-12345.pdf"),
        body("John", "March 2025", "₹5,000"),
    ),
    "6e location header": template(
        "store_location",
        t.HeaderLocation.params(lat=28.6139, lon=77.2090, name="Our Store", address="Connaught Place, New Delhi"),
    ),
    "6f quick-reply buttons": template(
        "feedback_request",
        body("your recent order"),
        t.QuickReplyButton.params(callback_data="RATE_GOOD", index=0),
        t.QuickReplyButton.params(callback_data="RATE_BAD", index=1),
    ),
    "6g URL button": template("track_order", body("ORD-12345"), t.URLButton.params(url_variable="ORD-12345", index=0)),
    "6h OTP copy code": template(
        "otp_message", t.AuthenticationBody.params(otp="784521"), t.CopyCodeOTPButton.params(otp="784521")
    ),
    "6i limited-time offer": template("flash_sale", SALE, ENDED, coupon(0)),
    "6j limited-time offer with image header": template(
        "flash_sale_banner", picture("flash-sale-banner.jpg"), SALE, ENDED, coupon(0)
    ),
    "6k limited-time offer with URL button": template(
        "flash_sale_full", picture("flash-sale-banner.jpg"), SALE, ENDED, coupon(0), SALE_LINK
    ),
    "6k the same with the copy_code shorthand": template(
        "flash_sale_full",
        t.HeaderVideo.params(video=f"{EXAMPLE}/flash-sale.mp4"),
        SALE,
        ENDED,
        coupon(0),
        SALE_LINK,
    ),
    "7 interactive button": lambda wa: wa.send_message(
        TO,
        "How would you like to proceed?",
        header="Choose an option",
        footer="Reply with a button below",
        buttons=[Button("Yes, confirm", "btn_yes"), Button("No, cancel", "btn_no"), Button("More info", "btn_info")],
    ),
    "8 interactive cta_url": lambda wa: wa.send_image(
        TO,
        f"{EXAMPLE}/banner.jpg",
        "Click below to view your order details.",
        footer="WAAPI Store",
        buttons=URLButton("View Order", f"{EXAMPLE}/orders/12345"),
    ),
    "9 interactive list": lambda wa: wa.send_message(
        TO, "Please select a department", footer="We're here to help", buttons=DEPARTMENTS
    ),
    "10 interactive carousel, quick replies": lambda wa: wa.send_carousel(
        TO,
        body="Browse our latest products",
        cards=[
            ImageCarouselCard(
                body="Wireless Earbuds — Premium sound, all day comfort.",
                image=f"{EXAMPLE}/product1.jpg",
                buttons=[Button("Buy Now", "buy_earbuds"), Button("Learn More", "info_earbuds")],
            ),
            ImageCarouselCard(
                body="Smart Watch — Stay connected on the go.",
                image=f"{EXAMPLE}/product2.jpg",
                buttons=[Button("Buy Now", "buy_watch"), Button("Learn More", "info_watch")],
            ),
        ],
    ),
    "10 interactive carousel, CTA URL": lambda wa: wa.send_carousel(
        TO,
        body="Explore our top deals",
        cards=[
            ImageCarouselCard(
                body="Flat 50% off on headphones. Limited stock!",
                image=f"{EXAMPLE}/deal1.jpg",
                buttons=URLButton("Shop Now", f"{EXAMPLE}/deals/headphones"),
            ),
            VideoCarouselCard(
                body="New arrivals — Smartwatch collection.",
                video=f"{EXAMPLE}/deal2.mp4",
                buttons=URLButton("View Collection", f"{EXAMPLE}/deals/smartwatches"),
            ),
        ],
    ),
    "11 carousel template": template(
        "product_carousel",
        t.Carousel.params(
            cards=[
                product_card(0, "Wireless Earbuds", "₹1,999", "BUY_EARBUDS", "earbuds"),
                product_card(1, "Smart Watch", "₹4,999", "BUY_WATCH", "watch"),
            ]
        ),
    ),
    "full example with contact": template("welcome_message", body("Ravi")),
    "image without a caption": lambda wa: wa.send_image(TO, f"{EXAMPLE}/a.png"),
    "document without a caption": lambda wa: wa.send_document(TO, f"{EXAMPLE}/b.pdf", filename="b.pdf"),
    "button without header and footer": lambda wa: wa.send_message(TO, "Sure?", buttons=[Button("Yes", "yes")]),
    "button below a video": lambda wa: wa.send_video(
        TO, f"{EXAMPLE}/promo.mp4", "Sure?", buttons=[Button("Yes", "yes")]
    ),
    "button below a document": lambda wa: wa.send_document(
        TO, f"{EXAMPLE}/guide.pdf", filename=None, caption="Sure?", buttons=[Button("Yes", "yes")]
    ),
    "cta_url below a text": lambda wa: wa.send_message(
        TO, "Read on", header="News", buttons=URLButton("Open", f"{EXAMPLE}/news")
    ),
    "list below a text, rows without descriptions": lambda wa: wa.send_message(
        TO,
        "Choose",
        header="Menu",
        buttons=SectionList("Show", [Section("All", [SectionRow("A", "a"), SectionRow("B", "b")])]),
    ),
    "template with named variables": template(
        "order_shipped_named", t.BodyText.params(customer_name="John", order_id="ORD-12345")
    ),
    "template with a variable in its header": template("order_with_header", header("ORD-12345"), body("Friday")),
    "template without variables": template("open_today"),
}

UNSUPPORTED = {
    "10 interactive carousel, mixed": "a card of pywa has replies or a link, as Meta's pages have it; ours allows both",
}
