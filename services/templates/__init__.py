"""Templates: what may be said to a customer who has not written first, as Meta approved it.

Does: brings over the approved templates of a WhatsApp Business Account, keeps their status, quality and category as
Meta has them, and knows their variables.
Owns: the database `waapi_templates` (collection `templates`, each with its variables).
Handles: `SyncTemplates`, `ListTemplates`, `DiscoverTemplates`, `FindTemplates`, `TemplateUpdatesReceived`.
Asks: messaging for a number's sealed access (`GetNumberAccess`); Meta's Graph API for the list.
Announces: `TemplatesChanged`.
"""
