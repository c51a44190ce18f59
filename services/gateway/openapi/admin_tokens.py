"""Taking back operators' tokens, described."""

from services.gateway.openapi import dashboard_models as models
from services.gateway.openapi.dashboard_parts import UNKNOWN, answers, in_path, operators_operation

TOKENS_TAG = "Tokens"

TOKEN_OPERATIONS = (
    operators_operation(
        TOKENS_TAG,
        method="delete",
        path="/admin/tokens/{token_id}",
        name="revokeToken",
        summary="Take back an operator's token",
        description="It is refused from the next request on, by every gateway. Repeating it changes nothing.",
        parameters=(in_path("token_id", "The token's `jti`.", "4f2a9c0d1e8b7a65"),),
        answers=answers(200, models.Done, "It is refused.", UNKNOWN),
    ),
)
