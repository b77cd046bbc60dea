"""What the trader sees: one screen per file."""
