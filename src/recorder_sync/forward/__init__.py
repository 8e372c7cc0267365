"""The upload queue: sealed recordings go to the stores, and the stores prove that they have them."""
