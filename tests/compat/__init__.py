"""Two independent clients of Meta's API send the same messages as we do, and the sandbox sees the same JSON."""
