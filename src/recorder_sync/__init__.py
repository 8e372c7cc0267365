"""recorder-sync: takes footage off body cameras, proves it is whole, and keeps it."""

__version__ = "0.1.0"
