"""A camera arrives: seen, identified, checked, taken in, and gone again."""
