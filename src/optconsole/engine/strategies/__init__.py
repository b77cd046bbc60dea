"""Strategies as text: the notation of each rule, the file, and the registry of strategies with a mind of their own."""
