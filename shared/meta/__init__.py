"""What every service that speaks to Meta's Graph API needs."""
