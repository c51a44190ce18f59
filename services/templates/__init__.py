"""Templates: what may be said to a customer who has not written first, from its draft to what became of it.

Does: drafts templates and finds what Meta will refuse in them, submits them, brings over what exists at Meta, keeps
status, quality and category as Meta has them, knows their variables, counts taps on their buttons and what became of
messages with them.
Owns: the database `waapi_templates` (`templates`, each with its variables; `button_clicks`; `template_counters` and
`counted_messages`).
Handles: the commands and queries of `shared/contracts/templates.py`, `template_drafts.py` and `button_clicks.py`;
listens to `TemplateUpdatesReceived`, `ButtonsClicked`, `MessagesSent`, `MessagesFailed`, `MessageStatusesChanged`.
Asks: messaging for a number's sealed access (`GetNumberAccess`); campaigns whether one needs a template
(`TemplateInUse`); Meta's Graph API; the owners of header samples, through the guard of foreign addresses.
Announces: `TemplatesChanged`.
"""
