"""The six services. Each owns its database; they meet only on the bus."""
