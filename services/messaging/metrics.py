"""What operations can watch. No ids, numbers or names of tenants as labels."""

from prometheus_client import Counter

INBOUND_OF_NOBODY = Counter(
    "waapi_inbound_of_nobody_total", "Messages of customers to a number that is not (or no longer) one of ours"
)
