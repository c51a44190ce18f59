"""Webhooks to the product: what an update looks like, and a sender that never loses one."""
