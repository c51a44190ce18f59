"""The dashboard API and the operator's routes, described."""

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.admin_tokens import TOKEN_OPERATIONS, TOKENS_TAG
from services.gateway.openapi.agents import AGENT_OPERATIONS, AGENTS_TAG, PROMPT_OPERATIONS, PROMPTS_TAG
from services.gateway.openapi.campaigns import CAMPAIGN_OPERATIONS, CAMPAIGNS_TAG
from services.gateway.openapi.channels import CHANNEL_OPERATIONS, CHANNELS_TAG
from services.gateway.openapi.contacts import (
    CONTACT_OPERATIONS,
    CONTACTS_TAG,
    CREDIT_OPERATIONS,
    SENDING_OPERATIONS,
    SENDING_TAG,
)
from services.gateway.openapi.conversations import CONVERSATION_OPERATIONS, CONVERSATIONS_TAG
from services.gateway.openapi.dashboard_parts import (
    CHANGED_BODY,
    IDEMPOTENCY,
    INVALID,
    LATE,
    UNKNOWN,
    USER,
    WITH_BODY,
    answers,
    dashboard_operation,
    in_path,
    operators_operation,
)
from services.gateway.openapi.dead_letters import DEAD_LETTER_OPERATIONS, DEAD_LETTERS_TAG
from services.gateway.openapi.document import Api
from services.gateway.openapi.numbers import NUMBER_OPERATIONS
from services.gateway.openapi.operations import Parameter, RequestBody
from services.gateway.openapi.templates import CLICKS_TAG, OLD_OPERATIONS, TEMPLATE_OPERATIONS, TEMPLATES_TAG
from services.gateway.openapi.webchat_identity import IDENTITY_OPERATIONS
from services.gateway.openapi.webhooks import WEBHOOK_OPERATIONS, WEBHOOKS_TAG
from services.gateway.schemas.admin import ChangeApiKeyBody, CreateApiKeyBody
from services.gateway.schemas.dashboard import AddPhoneNumberBody, CreateUserBody

_USER_EXAMPLE = {"user_id": "usr_123", "email": "ravi@example.com", "company_name": "Acme"}
_NUMBER_EXAMPLE = {
    "user_id": "usr_123",
    "platform": "whatsapp",
    "meta_phone_number_id": "106540352242922",
    "access_token": "EAAGm0PX4ZCpsBA",
    "display_name": "Acme support",
    "waba_id": "102290129340398",
}


_USERS = (
    dashboard_operation(
        "Users",
        method="post",
        path="/api/v1/users",
        name="createUser",
        summary="Create a user",
        description="The id is the caller's choice.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(CreateUserBody, _USER_EXAMPLE),
        answers=answers(201, models.NewUserAnswer, "The user.", INVALID, WITH_BODY),
    ),
    dashboard_operation(
        "Users",
        method="get",
        path="/api/v1/users/{user_id}",
        name="getUser",
        summary="Get a user",
        description="With the present credits.",
        parameters=(in_path("user_id", "The user's id.", "usr_123"),),
        answers=answers(200, models.UserAnswer, "The user.", UNKNOWN),
    ),
)
_NUMBERS = (
    dashboard_operation(
        "Phone numbers",
        method="get",
        path="/api/v1/phone-numbers",
        name="listPhoneNumbers",
        summary="List a user's phone numbers",
        description="Newest first; none for an unknown user.",
        parameters=(
            USER,
            Parameter(
                "platform",
                "query",
                "Of one platform.",
                {"type": "string", "enum": ["whatsapp", "instagram", "webchat"]},
            ),
        ),
        answers=answers(200, models.NumbersAnswer, "The numbers.", INVALID),
    ),
    dashboard_operation(
        "Phone numbers",
        method="post",
        path="/api/v1/phone-numbers",
        name="addPhoneNumber",
        summary="Add a phone number",
        description="A number, and a WhatsApp Business Account, belongs to one user.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(AddPhoneNumberBody, _NUMBER_EXAMPLE),
        answers=answers(201, models.NewNumberAnswer, "The number.", INVALID, UNKNOWN, WITH_BODY, LATE),
    ),
    dashboard_operation(
        "Phone numbers",
        method="get",
        path="/api/v1/phone-numbers/{phone_number_id}",
        name="getPhoneNumber",
        summary="Get a phone number",
        description="With its agent.",
        parameters=(in_path("phone_number_id", "Our id of the number.", "pn_3k9d"),),
        answers=answers(200, models.NumberAnswer, "The number.", UNKNOWN),
    ),
)
_KEYS = (
    operators_operation(
        "API keys",
        method="post",
        path="/admin/api-keys",
        name="createApiKey",
        summary="Create an API key",
        description="The token is shown this once.",
        parameters=(IDEMPOTENCY,),
        body=RequestBody.of(
            CreateApiKeyBody, {"user_id": "usr_123", "phone_number_id": "pn_3k9d", "name": "Shop back end"}
        ),
        answers=answers(201, models.NewKeyAnswer, "The key.", INVALID, UNKNOWN, WITH_BODY),
    ),
    operators_operation(
        "API keys",
        method="get",
        path="/admin/api-keys",
        name="listApiKeys",
        summary="List a user's API keys",
        description="Without their tokens.",
        parameters=(USER,),
        answers=answers(200, models.KeysAnswer, "The keys.", INVALID),
    ),
    operators_operation(
        "API keys",
        method="patch",
        path="/admin/api-keys/{key_id}",
        name="changeApiKey",
        summary="Change an API key",
        description="The next request with it already meets the change.",
        parameters=(in_path("key_id", "The key's id.", "key_AbCd1234"),),
        body=RequestBody.of(ChangeApiKeyBody, {"permissions": ["send_text", "send_interactive"]}),
        answers=answers(200, models.KeyAnswer, "The key.", INVALID, UNKNOWN, CHANGED_BODY),
    ),
    operators_operation(
        "API keys",
        method="delete",
        path="/admin/api-keys/{key_id}",
        name="deleteApiKey",
        summary="Revoke an API key",
        description="It is refused from the next request on.",
        parameters=(in_path("key_id", "The key's id.", "key_AbCd1234"),),
        answers=answers(200, models.Done, "It is revoked.", UNKNOWN),
    ),
)

DASHBOARD_API = Api(
    title="WAAPI dashboard API",
    version="1.0.0",
    description="What the dashboard and its operators use, on the private listener. The dashboard API asks for no "
    "login; `/admin` asks for an operator's token.",
    tags={
        "Users": "Businesses with their own numbers, keys and credits.",
        "Phone numbers": "Channels to customers.",
        AGENTS_TAG: "Who answers customers by itself.",
        CHANNELS_TAG: "Chats on the user's own sites.",
        SENDING_TAG: "One message to one person, and what became of any.",
        CONTACTS_TAG: "Whom users write to, and whether they want marketing.",
        CONVERSATIONS_TAG: "What was said, and who answers.",
        DEAD_LETTERS_TAG: "What could not be handled inside.",
        CAMPAIGNS_TAG: "One template to many recipients, each addressed once.",
        TEMPLATES_TAG: "What may be said first, once Meta has approved it.",
        CLICKS_TAG: "Who tapped which button.",
        "API keys": "Who may use the external send API.",
        WEBHOOKS_TAG: "Who hears what happens.",
        PROMPTS_TAG: "What agents are told to be.",
        TOKENS_TAG: "Who may operate.",
    },
    operations=(
        *_USERS,
        *_NUMBERS,
        *NUMBER_OPERATIONS,
        *AGENT_OPERATIONS,
        *CHANNEL_OPERATIONS,
        *IDENTITY_OPERATIONS,
        *SENDING_OPERATIONS,
        *CONTACT_OPERATIONS,
        *CREDIT_OPERATIONS,
        *CONVERSATION_OPERATIONS,
        *CAMPAIGN_OPERATIONS,
        *DEAD_LETTER_OPERATIONS,
        *TEMPLATE_OPERATIONS,
        *OLD_OPERATIONS,
        *_KEYS,
        *WEBHOOK_OPERATIONS,
        *PROMPT_OPERATIONS,
        *TOKEN_OPERATIONS,
    ),
)
