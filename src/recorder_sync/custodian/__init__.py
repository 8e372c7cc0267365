"""What the custodian does: every change goes into the custody log, then into the catalogue."""
