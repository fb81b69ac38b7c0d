"""Sampling laws of the measures: what chance alone gives, and how sure a given effect is. One file a family."""
