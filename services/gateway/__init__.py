"""Gateway: the door. HTTP in, commands and queries out, replies back; no business rules.

Does: authenticates API keys and operators, checks the shape of every body, seals secrets at the edge, repeats answers
for an Idempotency-Key, and renders both envelopes.
Owns: users, api_keys, idempotency_keys.
Sends: SendMessage, AddPhoneNumber, SyncTemplates, CreateSubscription, DeleteSubscription; asks for phone numbers,
credits, templates and subscriptions.
Listens to: nothing.
"""
