"""The gateway's routes, one class for each resource."""
