"""What Meta accepts: each message type as a table of rules, and templates against what was approved."""
