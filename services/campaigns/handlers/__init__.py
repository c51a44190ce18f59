"""What campaigns does with each message."""
