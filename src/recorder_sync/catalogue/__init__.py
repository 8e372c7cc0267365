"""The catalogue: everything people search, in SQLite. It is an index, never the evidence."""
