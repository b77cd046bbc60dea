"""Prices, Greeks, charges and margin: pure functions of numbers."""
