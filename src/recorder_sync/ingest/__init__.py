"""Bytes off the card: inventory, copy, read back, seal."""
