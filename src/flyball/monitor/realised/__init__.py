"""Realised figures: what labels, once they are here, say of the answers of a window, by arm and slice."""
