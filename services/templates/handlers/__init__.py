"""What templates does with each message."""
