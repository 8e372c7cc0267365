"""Tells the office's other programs what happened, by webhooks."""
