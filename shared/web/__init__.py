"""What every service that listens on HTTP needs: two envelopes, strict bodies, correlation ids, health and metrics."""
