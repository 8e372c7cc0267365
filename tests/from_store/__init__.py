"""A station made anew from a store."""
