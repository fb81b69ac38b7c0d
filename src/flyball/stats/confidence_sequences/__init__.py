"""Bounds that may be read after every value and still keep their promise: of rates, means, quantiles, of a risk.

Begin with `sequences`.
"""
