"""The stand-in for OpenAI's Responses API: deterministic answers, real shapes, faults by name."""
