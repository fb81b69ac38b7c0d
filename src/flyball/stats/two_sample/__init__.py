"""Is this window drawn like its reference? Distances of two samples, each with its law, its limit and its p-value."""
