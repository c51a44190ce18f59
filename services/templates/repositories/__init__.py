"""What templates remembers."""
