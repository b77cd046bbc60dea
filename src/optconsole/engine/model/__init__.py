"""The words of the trade: immutable values without behaviour beyond their own arithmetic."""
