"""A margin as people write it: in the metric's unit, or as a share of a reference value (`2%`)."""


def margin(written: float | str, reference: float) -> float:
    """The margin in the unit of the metric, >= 0 where it was written so.

    Raises: ValueError: text that is not a number with a percent sign.

    >>> margin(0.02, 0.9), margin("2%", -50.0)
    (0.02, 1.0)
    """
    if not isinstance(written, str):
        return float(written)
    number, sign, rest = written.strip().partition("%")
    if not sign or rest:
        raise ValueError(f"expected a number or a percentage such as '2%', found {written!r}")
    return float(number) / 100 * abs(reference)
