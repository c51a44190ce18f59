"""The gateway's collections; nothing else in the service knows MongoDB."""
