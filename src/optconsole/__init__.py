"""A keyboard-driven console for trading options on Indian exchanges, over a journalled engine."""

__version__ = "0.1.0"
