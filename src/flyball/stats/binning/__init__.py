"""Bins anchored in a reference sample, and what becomes of values that it never had. Begin with `bins`."""
