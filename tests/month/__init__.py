"""A month of a station, lived through twice: by the product and by a naive model."""
