"""Campaigns: nothing to do yet.

Does: starts, connects to its database and the bus, and answers on its operations listener.
Owns: the database `waapi_campaigns`, meant for campaigns and their recipients; today it is empty.
Handles and announces: no message so far. Campaigns, started, paused and counted, come with their own messages.
"""
