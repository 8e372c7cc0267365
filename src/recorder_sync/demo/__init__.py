"""Simulated cameras on a throw-away station."""
