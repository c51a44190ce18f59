// Every message as a user of @kapso/whatsapp-cloud-api writes it. A line on standard input names one; a line on
// standard output answers with {"sent": true} or with {"error": text}.

import { createInterface } from "node:readline";
import { WhatsAppClient, buildTemplateSendPayload } from "@kapso/whatsapp-cloud-api";

const { baseUrl, phoneNumberId, accessToken } = JSON.parse(process.argv[2]);
const { messages } = new WhatsAppClient({ baseUrl, accessToken });
const example = (path) => `https://example.com/${path}`;
const addressed = (message) => ({ phoneNumberId, to: "+919876543210", ...message });

const text = (body) => () => messages.sendText(addressed({ body }));
const buttons = (message) => () => messages.sendInteractiveButtons(addressed(message));
const carousel = (message) => () => messages.sendInteractiveCarousel(addressed(message));
const yes = [{ id: "yes", title: "Yes" }];

// Parameters of templates
const value = (text) => ({ type: "text", text });
const image = (name) => ({ type: "image", image: { link: example(name) } });
const video = (name) => ({ type: "video", video: { link: example(name) } });
const reply = (index, payload) => ({
  type: "button", subType: "quick_reply", index, parameters: [{ type: "payload", payload }],
});
const link = (index, suffix) => ({ type: "button", subType: "url", index, parameters: [value(suffix)] });
const coupon = (index) => ({
  type: "button", subType: "copy_code", index, parameters: [{ type: "coupon_code", coupon_code: "FLASH30" }],
});

const template = (name, parameters = {}) => () =>
  messages.sendTemplate(addressed({ template: buildTemplateSendPayload({ name, language: "en_US", ...parameters }) }));

// The package's builder has no word for the offer itself; its sendTemplate takes any component.
const offer = {
  type: "limited_time_offer",
  parameters: [{ type: "limited_time_offer", limitedTimeOffer: { expirationTimeMs: 1740000000000 } }],
};
const sale = (name, parameters) => () => {
  const built = buildTemplateSendPayload({
    name, language: "en_US", body: [value("FLASH30"), value("30%")], ...parameters,
  });
  const body = built.components.findIndex((component) => component.type === "body");
  const components = built.components.toSpliced(body + 1, 0, offer);
  return messages.sendTemplate(addressed({ template: { ...built, components } }));
};

const productCard = (cardIndex, name, price, payload, slug) => ({
  cardIndex,
  components: [
    { type: "header", parameters: [image(`product${cardIndex + 1}.jpg`)] },
    { type: "body", parameters: [value(name), value(price)] },
    reply(0, payload),
    link(1, slug),
  ],
});

const MESSAGES = {
  "cURL, frontend proxy": text("Hello!"),
  "cURL, backend direct": text("Hello!"),
  "1 text": text("Hello! How can we help you today?"),
  "2 image": () =>
    messages.sendImage(addressed({ image: { link: example("banner.jpg"), caption: "Check out our new collection!" } })),
  "3 video": () =>
    messages.sendVideo(addressed({ video: { link: example("promo.mp4"), caption: "Watch our product demo" } })),
  "4 audio": () => messages.sendAudio(addressed({ audio: { link: example("voice-note.mp3") } })),
  "5 document": () =>
    messages.sendDocument(addressed({
      document: {
        link: example("invoice.pdf"), filename: "Invoice_2025.pdf", caption: "Your invoice for March 2025",
      },
    })),
  "6a body variables": template("order_confirmation", { body: [value("John"), value("ORD-12345"), value("₹1,299")] }),
  "6b image header and variables": template("product_promo", {
    header: image("product.jpg"), body: [value("Summer Sale"), value("40%")],
  }),
  "6c video header": template("promo_video", { header: video("promo.mp4"), body: [value("Exclusive Offer")] }),
  // The builder drops a document's file name; sendTemplate does not.
  "6d document header": () => {
    const document = { link: example("invoices/INV-12345.pdf"), filename: "INV-12345.pdf" };
    const components = [
      { type: "header", parameters: [{ type: "document", document }] },
      { type: "body", parameters: [value("John"), value("March 2025"), value("₹5,000")] },
    ];
    const template = { name: "invoice_ready", language: { code: "en_US" }, components };
    return messages.sendTemplate(addressed({ template }));
  },
  "6e location header": template("store_location", {
    header: {
      type: "location",
      location: { latitude: 28.6139, longitude: 77.209, name: "Our Store", address: "Connaught Place, New Delhi" },
    },
  }),
  "6f quick-reply buttons": template("feedback_request", {
    body: [value("your recent order")], buttons: [reply(0, "RATE_GOOD"), reply(1, "RATE_BAD")],
  }),
  "6g URL button": template("track_order", { body: [value("ORD-12345")], buttons: [link(0, "ORD-12345")] }),
  "6h OTP copy code": template("otp_message", { body: [value("784521")], buttons: [link(0, "784521")] }),
  "6i limited-time offer": sale("flash_sale", { buttons: [coupon(0)] }),
  "6j limited-time offer with image header": sale("flash_sale_banner", {
    header: image("flash-sale-banner.jpg"), buttons: [coupon(0)],
  }),
  "6k limited-time offer with URL button": sale("flash_sale_full", {
    header: image("flash-sale-banner.jpg"), buttons: [coupon(0), link(1, "?coupon=FLASH30")],
  }),
  "6k the same with the copy_code shorthand": sale("flash_sale_full", {
    header: video("flash-sale.mp4"), buttons: [coupon(0), link(1, "?coupon=FLASH30")],
  }),
  "7 interactive button": buttons({
    header: { type: "text", text: "Choose an option" },
    bodyText: "How would you like to proceed?",
    footerText: "Reply with a button below",
    buttons: [
      { id: "btn_yes", title: "Yes, confirm" },
      { id: "btn_no", title: "No, cancel" },
      { id: "btn_info", title: "More info" },
    ],
  }),
  "8 interactive cta_url": () =>
    messages.sendInteractiveCtaUrl(addressed({
      header: image("banner.jpg"),
      bodyText: "Click below to view your order details.",
      footerText: "WAAPI Store",
      parameters: { displayText: "View Order", url: example("orders/12345") },
    })),
  "9 interactive list": () =>
    messages.sendInteractiveList(addressed({
      bodyText: "Please select a department",
      footerText: "We're here to help",
      buttonText: "Choose Department",
      sections: [
        {
          title: "Support",
          rows: [
            { id: "tech_support", title: "Technical Support", description: "Help with technical issues" },
            { id: "billing", title: "Billing", description: "Invoices and payments" },
          ],
        },
        {
          title: "Sales",
          rows: [
            { id: "new_order", title: "New Order", description: "Place a new order" },
            { id: "track_order", title: "Track Order", description: "Check delivery status" },
          ],
        },
      ],
    })),
  "10 interactive carousel, quick replies": carousel({
    bodyText: "Browse our latest products",
    cards: [
      {
        cardIndex: 0,
        header: image("product1.jpg"),
        bodyText: "Wireless Earbuds — Premium sound, all day comfort.",
        action: {
          buttons: [{ id: "buy_earbuds", title: "Buy Now" }, { id: "info_earbuds", title: "Learn More" }],
        },
      },
      {
        cardIndex: 1,
        header: image("product2.jpg"),
        bodyText: "Smart Watch — Stay connected on the go.",
        action: { buttons: [{ id: "buy_watch", title: "Buy Now" }, { id: "info_watch", title: "Learn More" }] },
      },
    ],
  }),
  "10 interactive carousel, CTA URL": carousel({
    bodyText: "Explore our top deals",
    cards: [
      {
        cardIndex: 0,
        header: image("deal1.jpg"),
        bodyText: "Flat 50% off on headphones. Limited stock!",
        action: { displayText: "Shop Now", url: example("deals/headphones") },
      },
      {
        cardIndex: 1,
        header: video("deal2.mp4"),
        bodyText: "New arrivals — Smartwatch collection.",
        action: { displayText: "View Collection", url: example("deals/smartwatches") },
      },
    ],
  }),
  "11 carousel template": template("product_carousel", {
    cards: [
      productCard(0, "Wireless Earbuds", "₹1,999", "BUY_EARBUDS", "earbuds"),
      productCard(1, "Smart Watch", "₹4,999", "BUY_WATCH", "watch"),
    ],
  }),
  "full example with contact": template("welcome_message", { body: [value("Ravi")] }),
  "image without a caption": () => messages.sendImage(addressed({ image: { link: example("a.png") } })),
  "document without a caption": () =>
    messages.sendDocument(addressed({ document: { link: example("b.pdf"), filename: "b.pdf" } })),
  "button without header and footer": buttons({ bodyText: "Sure?", buttons: yes }),
  "button below a video": buttons({ header: video("promo.mp4"), bodyText: "Sure?", buttons: yes }),
  "button below a document": buttons({
    header: { type: "document", document: { link: example("guide.pdf") } }, bodyText: "Sure?", buttons: yes,
  }),
  "cta_url below a text": () =>
    messages.sendInteractiveCtaUrl(addressed({
      header: { type: "text", text: "News" },
      bodyText: "Read on",
      parameters: { displayText: "Open", url: example("news") },
    })),
  "list below a text, rows without descriptions": () =>
    messages.sendInteractiveList(addressed({
      header: { type: "text", text: "Menu" },
      bodyText: "Choose",
      buttonText: "Show",
      sections: [{ title: "All", rows: [{ id: "a", title: "A" }, { id: "b", title: "B" }] }],
    })),
  "template with named variables": template("order_shipped_named", {
    body: [
      { ...value("John"), parameterName: "customer_name" },
      { ...value("ORD-12345"), parameterName: "order_id" },
    ],
  }),
  "template with a variable in its header": template("order_with_header", {
    header: value("ORD-12345"), body: [value("Friday")],
  }),
  "template without variables": template("open_today"),
};

// What the package has no words for, with the reason.
const UNSUPPORTED = {
  "10 interactive carousel, mixed": "a card has replies or a link, as Meta's pages have it; ours allows both",
};

async function answer(name) {
  if (name === "names") return { supported: Object.keys(MESSAGES), unsupported: Object.keys(UNSUPPORTED) };
  try {
    await MESSAGES[name]();
    return { sent: true };
  } catch (error) {
    return { error: String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
