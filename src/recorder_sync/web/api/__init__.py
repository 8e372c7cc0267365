"""The API for the office's other programs: what the pages show, as JSON."""
