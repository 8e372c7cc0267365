"""The dock screen and the custodian's console: pages made on the server, and an API."""
