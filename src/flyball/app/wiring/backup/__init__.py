"""A home laid aside, and laid back elsewhere."""
