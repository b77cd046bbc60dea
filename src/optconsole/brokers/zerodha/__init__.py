"""Zerodha by Kite Connect v3: orders and reads over REST, quotes and order updates over one shared socket."""
