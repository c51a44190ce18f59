"""Agents: nothing to do yet.

Does: starts, connects to its database and the bus, and answers on its operations listener.
Owns: the database `waapi_agents`, meant for agents, prompts and webchat channels; today it is empty.
Handles and announces: no message so far. Agents that answer customers, and the web chat, come with their own messages.
"""
