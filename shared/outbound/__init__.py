"""Calling addresses that somebody else chose, without being led into our own network."""
