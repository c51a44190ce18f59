"""Messaging: sends to Meta, and remembers what became of every message.

Owns: phone_numbers, wabas, contacts, consents, send_stops, conversations, messages, groups, inbound_messages,
webchat_entries, media, media_pieces, meta_notices, parked_statuses, credit_accounts, credit_entries, rates, and copies
of approved templates.
Takes: SendMessage, SendBatch, RenderMessage, GetMessageTimeline, AddPhoneNumber, GetPhoneNumber, ListPhoneNumbers,
UpdatePhoneNumber, DeletePhoneNumber, VerifyPhoneNumber, LinkAgent, UnlinkAgent, HoldNumber, ReleaseNumber,
ReleaseNumbers, GetNumberAccess, GetCredits, GrantCredits, ReserveCredits, ReleaseCredits, ReleaseRuns, HoldCampaign,
PrepareRecipients, UpsertContacts, GetContact, ListContacts, UpdateContact, ChangeConsent, EraseContact,
ListConversations, GetConversation, ListConversationMessages, HandOverConversation, MarkConversationRead,
GetConversationContext, GetAgentStats, ReceiveWebchatMessage, GetWebchatTranscript, FetchMedia, ReadMedia.
Announces: MessagesSent, MessagesQueued, MessagesFailed, MessageStatusesChanged, MessagesReceived, ButtonsClicked,
ConversationHandlingChanged, NumberQualityChanged, ConsentsChanged.
Listens to: MetaStatusesReceived, MetaMessagesReceived, MetaPreferencesReceived, MetaNoticesReceived, TemplatesChanged.
"""
