"""Decisions about templates: values in, values out."""
