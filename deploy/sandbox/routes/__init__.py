"""The sandbox's HTTP, one module a noun."""
