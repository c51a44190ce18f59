"""What operations can watch. No ids, numbers or names of tenants as labels."""

from prometheus_client import Counter, Histogram

META_WEBHOOKS = Counter(
    "waapi_meta_webhooks_total",
    "Webhooks from Meta by outcome: stored, duplicate, bad_signature, too_large, not_stored",
    ["outcome"],
)
META_UPDATES = Counter(
    "waapi_meta_updates_total",
    "Single updates inside Meta's webhooks by kind; unreadable ones and kinds that no event tells of yet included",
    ["kind"],
)
VENDOR_ATTEMPTS = Counter(
    "waapi_vendor_webhook_attempts_total",
    "Attempts to deliver a vendor webhook by what became of the delivery: delivered, pending, failed",
    ["state"],
)
VENDOR_SECONDS = Histogram(
    "waapi_vendor_webhook_seconds",
    "Time from the start of an attempt to its end",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
