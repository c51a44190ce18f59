"""What agents does with each message."""
