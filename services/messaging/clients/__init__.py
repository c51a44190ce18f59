"""The only code of messaging that knows Meta's HTTP."""
