"""The stand-in for OpenAI's Responses API: deterministic answers, real shapes, faults by name.

An answer is an echo of what the customer wrote since the last answer. `PUT /_sandbox/openai` switches faults
(faults.py lists them), `GET /_sandbox/openai/requests` shows what the model was asked and what became of it. Words in
the customer's text do the same for one answer: `sim_empty`, `sim_refuse`, `sim_hang`, `sim_incomplete`, `sim_fail`,
`sim_break` (the connection), `sim_human`, `sim_long_50000` (characters), `sim_slow_1500ms`, `sim_error_429`. Who asks
for a human is handed over, where the request offers such a function. Prompt ids and models are adopted unseen.
"""
