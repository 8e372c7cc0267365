"""The upload queue: what is sealed goes to the stores, and they prove that they have it."""
