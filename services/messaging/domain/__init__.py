"""Decisions and translations of messaging: values in, values out, no I/O."""
