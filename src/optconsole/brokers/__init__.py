"""Adapters between the engine's ports and whoever takes orders; none knows another."""
