"""Whom a message may be addressed to."""

from shared.phones import is_recipient

__all__ = ["is_recipient"]
