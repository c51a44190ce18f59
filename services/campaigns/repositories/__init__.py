"""The only code of campaigns that knows MongoDB."""
