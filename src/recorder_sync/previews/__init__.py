"""Thumbnails and previews of recordings, for people to look at; never evidence."""
