"""The only code of messaging that knows MongoDB: one class for each collection."""
