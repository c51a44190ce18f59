"""Every exchange and queue of the product, in one table. Each service declares all of it at start.

Work queues are quorum queues: what is in them survives. Queries have queues of their own, in the broker's memory: who
asks waits for seconds, and asks again. A change of any argument needs a new version in the name, since RabbitMQ refuses
to redeclare a queue with other arguments.
"""

from dataclasses import dataclass

from shared.contracts import (
    agents,
    button_clicks,
    campaigns,
    contacts,
    conversations,
    credits,
    inbound,
    messaging,
    numbers,
    subscriptions,
    template_drafts,
    templates,
    threads,
    timeline,
    turns,
    webchat,
    webhooks,
)
from shared.contracts.base import Command, Event, Message, Query

COMMANDS = "wa.commands"  # topic; published mandatory
QUERIES = "wa.queries"  # topic; published mandatory, and not persistent
EVENTS = "wa.events"  # topic; an event may have no listener
STREAM = "wa.stream"  # topic; transient deltas
DEAD_LETTERS = "wa.dlx"  # direct; routing key is the name of the queue that gave up

RETRY_SECONDS = (1, 5, 30, 300, 1800)  # one shared queue for each; then the dead-letter queue

MAX_LENGTH = 200_000  # messages; beyond it the broker refuses, and the publisher hears it
DELIVERY_LIMIT = 20  # a crash counts against every message its consumer held, so the limit is generous


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue of one service. It takes either queries or what must not be lost, never both."""

    name: str
    service: str
    messages: tuple[type[Message], ...]
    prefetch: int  # messages in a consumer's hands
    group_limit: int = 1  # messages handed to one call of a group handler
    concurrency: int | None = None  # handler calls at a time; None: as many as the prefetch allows
    # How long a group waits for company even in an idle system, and past messages of other types: where nobody waits
    # for what is done with it, and its order is of no matter.
    company_seconds: float = 0.0

    @property
    def is_for_queries(self) -> bool:
        """Whether all that it loses with the broker is a question that may be asked again."""
        return all(issubclass(message, Query) for message in self.messages)

    @property
    def dead_letters(self) -> str:
        """The queue that keeps what could not be handled."""
        return f"{self.name}.dlq"


QUEUES: tuple[Queue, ...] = (
    Queue("messaging.send.v1", "messaging", (messaging.SendMessage,), prefetch=200, group_limit=50),
    Queue("messaging.campaign.v1", "messaging", (messaging.SendBatch,), prefetch=24),
    Queue(
        "messaging.commands.v1",
        "messaging",
        (messaging.AddPhoneNumber, conversations.HandOverConversation),
        prefetch=20,
    ),
    Queue(
        "messaging.statuses.v1",
        "messaging",
        (webhooks.MetaStatusesReceived,),
        prefetch=50,
        group_limit=20,
        concurrency=2,
    ),
    Queue(
        "messaging.inbound.v1",
        "messaging",
        (inbound.MetaMessagesReceived, inbound.MetaPreferencesReceived, inbound.MetaNoticesReceived),
        prefetch=50,
        group_limit=20,
        concurrency=2,
    ),
    Queue("messaging.threads.v1", "messaging", (threads.MarkConversationRead, threads.FetchMedia), prefetch=20),
    Queue(
        "messaging.credits.v1",
        "messaging",
        (
            credits.GrantCredits,
            credits.ReserveCredits,
            credits.ReleaseCredits,
            credits.ReleaseRuns,
            messaging.HoldCampaign,
        ),
        prefetch=20,
    ),
    Queue(
        "messaging.contacts.v1",
        "messaging",
        (contacts.UpdateContact, contacts.ChangeConsent, contacts.EraseContact),
        prefetch=20,
    ),
    # Up to a thousand rows each: a few at a time, beside what people wait for.
    Queue("messaging.audience.v1", "messaging", (contacts.UpsertContacts,), prefetch=4),
    Queue("messaging.preparation.v1", "messaging", (contacts.PrepareRecipients,), prefetch=4),
    Queue("messaging.templates.v1", "messaging", (templates.TemplatesChanged,), prefetch=5),
    Queue("templates.commands.v1", "templates", (templates.SyncTemplates,), prefetch=5),
    Queue(
        "templates.drafts.v1",
        "templates",
        (template_drafts.CreateTemplate, template_drafts.EditTemplate, template_drafts.SetTemplateVariables),
        prefetch=20,
    ),
    Queue(  # they wait for Meta; nobody's question stands behind them
        "templates.at_meta.v1",
        "templates",
        (template_drafts.SubmitTemplate, template_drafts.DeleteTemplate),
        prefetch=10,
    ),
    Queue("templates.events.v1", "templates", (webhooks.TemplateUpdatesReceived,), prefetch=5),
    Queue("templates.clicks.v1", "templates", (conversations.ButtonsClicked,), prefetch=20, group_limit=20),
    Queue(
        "templates.outcomes.v1",
        "templates",
        (messaging.MessagesSent, messaging.MessagesFailed, messaging.MessageStatusesChanged),
        prefetch=50,
        group_limit=20,
        concurrency=1,
        company_seconds=0.25,  # one transaction counts what came in
    ),
    Queue(
        "messaging.numbers.v1",
        "messaging",
        (
            numbers.UpdatePhoneNumber,
            numbers.DeletePhoneNumber,
            numbers.LinkAgent,
            numbers.UnlinkAgent,
            numbers.HoldNumber,
            numbers.ReleaseNumber,
            numbers.ReleaseNumbers,
        ),
        prefetch=20,
    ),
    Queue(
        "agents.commands.v1",
        "agents",
        (
            agents.CreateAgent,
            agents.UpdateAgent,
            agents.DeleteAgent,
            agents.CreatePrompt,
            agents.UpdatePrompt,
            agents.DeletePrompt,
            agents.CreateWebchatChannel,
            agents.UpdateWebchatChannel,
            agents.DeleteWebchatChannel,
        ),
        prefetch=20,
    ),
    Queue("messaging.webchat.v1", "messaging", (webchat.ReceiveWebchatMessage,), prefetch=50),
    Queue("agents.webchat.v1", "agents", (webchat.OpenWebchatSession, webchat.SetWebchatIdentity), prefetch=50),
    Queue(
        "campaigns.commands.v1",
        "campaigns",
        (
            campaigns.CreateCampaign,
            campaigns.StageRecipients,
            campaigns.FinishCreation,
            campaigns.BeginUpload,
            campaigns.FinishUpload,
            campaigns.AbortUpload,
            campaigns.ControlCampaign,
            campaigns.RetryFailed,
        ),
        prefetch=20,
    ),
    Queue(
        "campaigns.outcomes.v1",
        "campaigns",
        (messaging.MessagesSent, messaging.MessagesFailed, messaging.MessageStatusesChanged),
        prefetch=50,
        group_limit=20,
        concurrency=2,
    ),
    Queue("campaigns.templates.v1", "campaigns", (templates.TemplatesChanged,), prefetch=5),
    Queue(
        "webhooks.commands.v1",
        "webhooks",
        (
            webhooks.CreateSubscription,
            webhooks.DeleteSubscription,
            subscriptions.UpdateSubscription,
            subscriptions.RotateSecret,
            subscriptions.SendTestEvent,
            subscriptions.ResendDelivery,
            subscriptions.ReplayDeliveries,
            subscriptions.HearEvents,
        ),
        prefetch=20,
    ),
    Queue(
        "messaging.queries.v1",
        "messaging",
        (
            messaging.GetPhoneNumber,
            messaging.ListPhoneNumbers,
            messaging.GetNumberAccess,
            messaging.GetCredits,
            messaging.RenderMessage,
            timeline.GetMessageTimeline,
            conversations.GetAgentStats,
            conversations.GetConversationContext,
            threads.ListConversations,
            threads.GetConversation,
            threads.ListConversationMessages,
            threads.ReadMedia,
            contacts.GetContact,
            contacts.ListContacts,
            numbers.VerifyPhoneNumber,
            webchat.GetWebchatTranscript,
        ),
        prefetch=50,
    ),
    Queue(
        "templates.queries.v1",
        "templates",
        (
            templates.ListTemplates,
            templates.FindTemplates,
            templates.DiscoverTemplates,
            template_drafts.GetTemplate,
            button_clicks.GetTemplateButtonClicks,
            button_clicks.ListButtonClicks,
            button_clicks.GetLeadButtonActivity,
        ),
        prefetch=20,
    ),
    Queue(
        "agents.queries.v1",
        "agents",
        (
            agents.ListAgents,
            agents.GetAgent,
            agents.ListPrompts,
            agents.GetPrompt,
            agents.ListWebchatChannels,
            agents.GetWebchatChannel,
            turns.GetTurn,
            webchat.GetWebchatSession,
        ),
        prefetch=50,
    ),
    Queue(
        "campaigns.queries.v1",
        "campaigns",
        (
            campaigns.GetCampaign,
            campaigns.ListCampaigns,
            campaigns.ListRecipients,
            campaigns.GetPreflight,
            campaigns.TemplateInUse,
        ),
        prefetch=20,
    ),
    Queue(
        "webhooks.queries.v1",
        "webhooks",
        (
            webhooks.ListSubscriptions,
            subscriptions.GetSubscription,
            subscriptions.ListDeliveries,
            subscriptions.ListEventTypes,
        ),
        prefetch=20,
    ),
    Queue(  # only writes turns down; runners take them
        "agents.events.v1",
        "agents",
        (conversations.MessagesReceived, conversations.ConversationHandlingChanged, contacts.ConsentsChanged),
        prefetch=200,
    ),
    Queue(
        "webhooks.events.v1",
        "webhooks",
        (
            messaging.MessagesSent,
            messaging.MessagesQueued,
            messaging.MessagesFailed,
            messaging.MessageStatusesChanged,
            conversations.MessagesReceived,
            conversations.ButtonsClicked,
            conversations.ConversationHandlingChanged,
            conversations.NumberQualityChanged,
            contacts.ConsentsChanged,
            campaigns.CampaignsChanged,
            templates.TemplatesChanged,
        ),
        prefetch=50,
        group_limit=20,
        concurrency=1,  # what vendors may want in order is stored in the order in which it came
    ),
)


def retry_exchange(seconds: int) -> str:
    """The fanout exchange (and queue) of one retry tier."""
    unit = f"{seconds}s" if seconds < 60 else f"{seconds // 60}m"
    return f"wa.retry.{unit}"


def exchange_for(message: type[Message]) -> str:
    """Where messages of a type are published; the routing key is their wire name."""
    if issubclass(message, Event):
        return EVENTS
    if issubclass(message, Query):
        return QUERIES
    if issubclass(message, Command):
        return COMMANDS
    raise TypeError(f"{message.__name__} is neither a command, a query nor an event")


def queues_of(service: str) -> tuple[Queue, ...]:
    """The queues that a service consumes."""
    return tuple(queue for queue in QUEUES if queue.service == service)
