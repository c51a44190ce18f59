"""What the examples share, and examples of messaging, templates and webhooks."""

from datetime import UTC, datetime

from shared.contracts import messaging, templates, webhooks
from shared.contracts.base import Message
from shared.contracts.content import TemplateContent, TextContent, TextHeader
from shared.contracts.messaging import (
    BatchMessage,
    ContactInput,
    FailedMessage,
    MessageStatusChange,
    MetaError,
    SentMessage,
)
from shared.contracts.templates import Template, TemplateVariable
from shared.contracts.webhooks import MetaStatus, TemplateUpdate

NOON = datetime(2026, 3, 5, 12, 0, 0, 250_000, tzinfo=UTC)
MESSAGE_ID = "65f0c0ffee65f0c0ffee65f0"
CONVERSATION_ID = "65f0c0de65f0c0de65f0c0de"
USER_ID = "user_7mK2pQ9xR4tV6wY8zA1bC3"
NUMBER_ID = "pn_4fG6hJ8kL1nP3qS5tV7wX9"
WABA_ID = "102290129340398"
WA_MESSAGE_ID = "wamid.HBgLMTQxNTU1NTAxMjMVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"
PHONE = "+14155550123"

REFUSAL = MetaError(
    message="Message undeliverable",
    code=131026,
    type="OAuthException",
    details="The recipient is not on WhatsApp.",
    fbtrace_id="AbCdEfGhIjK",
)
ORDER_TEMPLATE = TemplateContent(
    name="order_update",
    language="en_US",
    header=TextHeader(text="A-17"),
    variables=("Ada", "tomorrow"),
)
TEMPLATE = Template(
    template_id="tpl_9aB1cD2eF3gH4iJ5kL6mN7",
    user_id=USER_ID,
    phone_number_id=NUMBER_ID,
    waba_id=WABA_ID,
    name="order_update",
    language="en_US",
    category="UTILITY",
    status="APPROVED",
    components=({"type": "BODY", "text": "Hello {{1}}, your order arrives {{2}}."},),
    variables=(
        TemplateVariable(
            variable_id="var_1",
            variable_name="first_name",
            position=1,
            component_type="BODY",
            extraction_field="name",
            sample_value="Ada",
            is_required=True,
        ),
    ),
    meta_template_id="594425479261596",
    quality_score="GREEN",
    created_at=NOON,
    updated_at=NOON,
)

EXAMPLES: tuple[Message, ...] = (
    messaging.SendMessage(
        message_id=MESSAGE_ID,
        user_id=USER_ID,
        phone_number_id=NUMBER_ID,
        to=PHONE,
        content=TextContent(text="Grüße aus Zürich 👋", preview_url=True),
        contact=ContactInput(name="Ada Lovelace", email="ada@example.com"),
        source="external_api",
        accepted_at=NOON,
    ),
    messaging.RenderMessage(user_id=USER_ID, phone_number_id=NUMBER_ID, to=PHONE, content=ORDER_TEMPLATE),
    messaging.SendBatch(
        user_id=USER_ID,
        phone_number_id=NUMBER_ID,
        campaign_id="cmp_1",
        content=ORDER_TEMPLATE,
        items=(
            BatchMessage(message_id=MESSAGE_ID, recipient_id="rcp_1", to=PHONE, variables={"1": "Ada", "2": "today"}),
        ),
        expires_at=NOON,
    ),
    messaging.MessagesSent(
        items=(
            SentMessage(
                id=f"message.sent:{MESSAGE_ID}",
                message_id=MESSAGE_ID,
                wa_message_id=WA_MESSAGE_ID,
                conversation_id=CONVERSATION_ID,
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                to=PHONE,
                type="template",
                source="campaign",
                campaign_id="cmp_1",
                recipient_id="rcp_1",
                sent_at=NOON,
            ),
        )
    ),
    messaging.MessagesQueued(
        items=(
            messaging.QueuedMessage(
                id=f"message.queued:{MESSAGE_ID}",
                message_id=MESSAGE_ID,
                conversation_id=CONVERSATION_ID,
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                to=PHONE,
                type="text",
                source="external_api",
                reason="meta_130429",
                queued_at=NOON,
            ),
        )
    ),
    messaging.MessagesFailed(
        items=(
            FailedMessage(
                id=f"message.failed:{MESSAGE_ID}",
                message_id=MESSAGE_ID,
                conversation_id=CONVERSATION_ID,
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                to=PHONE,
                type="text",
                source="external_api",
                failure="meta_refused",
                error=REFUSAL,
                failed_at=NOON,
            ),
        )
    ),
    messaging.MessageStatusesChanged(
        items=(
            MessageStatusChange(
                id=f"message.delivered:{MESSAGE_ID}",
                message_id=MESSAGE_ID,
                wa_message_id=WA_MESSAGE_ID,
                conversation_id=CONVERSATION_ID,
                user_id=USER_ID,
                phone_number_id=NUMBER_ID,
                to=PHONE,
                type="text",
                source="dashboard",
                status="delivered",
                at=NOON,
            ),
        )
    ),
    messaging.AddPhoneNumber(
        phone_number_id=NUMBER_ID,
        user_id=USER_ID,
        platform="whatsapp",
        meta_phone_number_id="106540352242922",
        sealed_access_token="v1.k1.c2VhbGVk",
        display_name="Support",
        waba_id=WABA_ID,
    ),
    messaging.GetPhoneNumber(phone_number_id=NUMBER_ID),
    messaging.ListPhoneNumbers(user_id=USER_ID, platform="whatsapp"),
    messaging.GetNumberAccess(phone_number_id=NUMBER_ID),
    messaging.GetCredits(user_id=USER_ID),
    templates.ListTemplates(phone_number_id=NUMBER_ID),
    templates.FindTemplates(waba_id=WABA_ID, name="order_update"),
    templates.DiscoverTemplates(user_id=USER_ID, phone_number_id=NUMBER_ID, language="en_US", search="order"),
    templates.SyncTemplates(user_id=USER_ID, phone_number_id=NUMBER_ID),
    templates.TemplatesChanged(items=(TEMPLATE,)),
    webhooks.MetaStatusesReceived(
        items=(
            MetaStatus(
                wa_message_id=WA_MESSAGE_ID,
                status="failed",
                at=NOON,
                meta_phone_number_id="106540352242922",
                recipient_id="14155550123",
                opaque=f"w1:{MESSAGE_ID}:1",
                error=REFUSAL,
            ),
        )
    ),
    webhooks.TemplateUpdatesReceived(
        items=(
            TemplateUpdate(
                waba_id=WABA_ID,
                meta_template_id="594425479261596",
                name="order_update",
                language="en_US",
                event="REJECTED",
                reason="INVALID_FORMAT",
                at=NOON,
            ),
        )
    ),
    webhooks.CreateSubscription(
        webhook_id="wh_1",
        user_id=USER_ID,
        url="https://vendor.example/hooks",
        events=("message.sent", "message.failed"),
        description="Production",
        sealed_secret="v1.k1.c2VhbGVk",
    ),
    webhooks.ListSubscriptions(user_id=USER_ID),
    webhooks.DeleteSubscription(webhook_id="wh_1"),
)
