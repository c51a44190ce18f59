"""webhooks: takes what Meta tells us, and tells vendors what happened.

Does     verifies and keeps Meta's webhooks, publishes what they say; signs, delivers and retries vendors' webhooks.
Owns     inbound_events (raw bytes), subscriptions (secrets sealed), deliveries with their attempts.
Sends    MetaStatusesReceived, TemplateUpdatesReceived.
Answers  CreateSubscription, ListSubscriptions, DeleteSubscription.
Hears    MessagesSent.
HTTP     GET/POST /webhooks/meta on WEBHOOKS_BIND; operations on WEBHOOKS_OPS_BIND.
"""
