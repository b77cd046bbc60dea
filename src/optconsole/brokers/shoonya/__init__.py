"""Finvasia Shoonya: the Noren wire as it is since April 2026 (OAuth, Bearer, one socket for quotes and orders)."""
