"""The only code that speaks to vendors' receivers."""
