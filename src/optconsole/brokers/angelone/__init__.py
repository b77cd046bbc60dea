"""Angel One: SmartAPI over REST, its Streaming 2.0 of quotes and its socket of order updates."""
