"""Gateway: the door. HTTP in, commands and queries out, replies back; no business rules.

Does: authenticates API keys and operators, checks the shape of every body, seals secrets at the edge, repeats answers
for an Idempotency-Key, and renders both envelopes.
Owns: users, api_keys, key_rates, idempotency_keys.
Sends: SendMessage, AddPhoneNumber, SyncTemplates, CreateSubscription, DeleteSubscription; asks for phone numbers,
credits, templates (also by DiscoverTemplates), dry runs (RenderMessage) and subscriptions.
Listens to: nothing.
"""
