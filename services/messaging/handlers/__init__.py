"""One method for each message that messaging takes, by noun."""
