"""Who may come in by the web: accounts, sessions and how they are signed in."""
