"""Strategies at work: planned for a day, entered, guarded, left, and entered again, one pure step at a time."""
