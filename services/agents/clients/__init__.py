"""The only code of agents that knows a neighbour's HTTP."""
