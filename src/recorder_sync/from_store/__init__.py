"""A station made anew from one evidence store: its custody log, its catalogue, its recordings."""
