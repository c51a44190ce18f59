"""Messaging: sends to Meta, and owns phone numbers, contacts, conversations, messages and credits."""
