"""Angel One's wire, rehearsed: its own encoders, sharing nothing with the adapter it is there to try."""
