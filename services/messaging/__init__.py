"""Messaging: sends to Meta, and remembers what became of every message.

Owns: phone_numbers, wabas, contacts, consents, send_stops, conversations, messages, parked_statuses, credit_accounts,
credit_entries, rates, and copies of approved templates.
Takes: SendMessage, SendBatch, RenderMessage, GetMessageTimeline, AddPhoneNumber, GetPhoneNumber, ListPhoneNumbers,
GetNumberAccess, GetCredits, GrantCredits, ReserveCredits, ReleaseCredits, HoldCampaign, PrepareRecipients,
UpsertContacts, GetContact, ListContacts, UpdateContact, ChangeConsent, EraseContact.
Announces: MessagesSent, MessagesFailed, MessageStatusesChanged, ConsentsChanged.
Listens to: MetaStatusesReceived, TemplatesChanged.
"""
