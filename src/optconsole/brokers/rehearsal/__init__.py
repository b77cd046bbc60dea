"""Rehearsal: a broker's own wire on loopback, the paper exchange behind it, and every fault of a live day at hand."""
