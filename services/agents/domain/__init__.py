"""Decisions of agents: values in, values out."""
