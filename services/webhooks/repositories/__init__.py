"""The only code of webhooks that knows MongoDB, one module for each collection."""
