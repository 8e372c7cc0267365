"""Open matters that somebody must handle."""
