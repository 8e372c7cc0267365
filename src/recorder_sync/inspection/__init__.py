"""What an inspector does: verify the evidence, look at it, take a checkable copy."""
