"""Decisions as pure functions: what is allowed, and what follows."""
