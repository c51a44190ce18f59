"""webhooks: takes what Meta tells us, and tells vendors what happened.

Does     verifies and keeps Meta's webhooks, publishes what they say; signs, delivers and retries vendors' webhooks.
Owns     inbound_events (raw bytes), subscriptions (secrets sealed; lease and health of the
         endpoint), deliveries with their attempts, replays, listeners, the last status of each template.
Sends    MetaStatusesReceived, MetaMessagesReceived, MetaPreferencesReceived, MetaNoticesReceived,
         TemplateUpdatesReceived.
Answers  the commands and queries of shared/contracts/subscriptions.py, CreateSubscription, ListSubscriptions,
         DeleteSubscription.
Hears    MessagesSent, MessagesQueued, MessagesFailed, MessageStatusesChanged, MessagesReceived, ButtonsClicked,
         ConversationHandlingChanged, NumberQualityChanged, ConsentsChanged, CampaignsChanged, TemplatesChanged.
HTTP     GET/POST /webhooks/meta on WEBHOOKS_BIND; operations on WEBHOOKS_OPS_BIND.
"""
