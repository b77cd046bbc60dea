"""How the engine watches itself: logs, latencies, health."""
