"""Bodies as callers write them, and their one translation into the words of the bus."""
