"""What the documentation shows works as it stands there."""
