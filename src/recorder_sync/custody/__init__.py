"""The custody log: everything done to evidence, append-only."""
