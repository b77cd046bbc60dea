"""Recorded sessions as a feed, and the importers that make recordings of other people's files."""
