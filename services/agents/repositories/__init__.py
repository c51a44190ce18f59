"""The only code of agents that knows MongoDB."""
