"""Is this window drawn like its reference? Distances of two samples, each with its law, its limit and its p-value.

Begin with `compare`; `measure` says how the evidence becomes a verdict, and `laws` what chance alone gives.
"""
