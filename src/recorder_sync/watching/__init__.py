"""What the station watches by itself: facts from the catalogue, and the tick that asks rules."""
