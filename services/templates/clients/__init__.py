"""Neighbours over HTTP."""
