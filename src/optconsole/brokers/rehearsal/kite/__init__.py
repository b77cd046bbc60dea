"""Kite Connect v3 as Zerodha serves it, over a rehearsed market."""
