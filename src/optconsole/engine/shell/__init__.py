"""What stands around the pure rules: the inbox, the wires, the watch over time. ``engine.core`` puts it together."""
