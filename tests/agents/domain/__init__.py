"""Decisions of agents."""
