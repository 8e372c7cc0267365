"""What a file says of itself, read in a confined process."""
