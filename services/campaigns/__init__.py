"""Campaigns: one template to many recipients, each addressed once, at the pace of the number.

Owns: campaigns, recipients, locks.
Takes: CreateCampaign, StageRecipients, FinishCreation, BeginUpload, FinishUpload, AbortUpload, ControlCampaign,
RetryFailed, GetCampaign, ListCampaigns, ListRecipients, GetPreflight, TemplateInUse.
Asks of messaging: PrepareRecipients, UpsertContacts, HoldNumber, ReleaseNumber, ReleaseNumbers, ReserveCredits,
ReleaseCredits, ReleaseRuns, HoldCampaign, SendBatch, GetPhoneNumber, GetCredits, RenderMessage; of templates:
GetTemplate.
Announces: CampaignsChanged.
Listens to: MessagesSent, MessagesFailed, MessageStatusesChanged, TemplatesChanged.
"""
