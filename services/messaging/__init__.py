"""Messaging: sends to Meta, and remembers what became of every message.

Owns: phone_numbers, wabas, contacts, conversations, messages, parked_statuses, credit_accounts, credit_entries, rates,
and copies of approved templates.
Takes: SendMessage, SendBatch, RenderMessage, AddPhoneNumber, GetPhoneNumber, ListPhoneNumbers, GetNumberAccess,
GetCredits.
Announces: MessagesSent, MessagesFailed, MessageStatusesChanged.
Listens to: MetaStatusesReceived, TemplatesChanged.
"""
