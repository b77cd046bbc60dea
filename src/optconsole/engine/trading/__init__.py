"""Orders from wish to fill: the desk, what the broker says, flattening, reconciliation."""
