"""Decisions and translations of webhooks: values in, values out."""
