"""What webhooks does with Meta's posts, subscriptions, events for vendors, and deliveries that are due."""
