"""How long the truth takes: from a row's arrival to its first label."""

from flyball.core.record import Record

_UNITS = (("d", 86_400.0), ("h", 3600.0), ("min", 60.0))


class LabelDelays(Record):
    """Of the predictions that have a label. Each time is one that was seen."""

    labelled: int  # predictions
    p50_s: float
    p90_s: float
    p99_s: float

    @property
    def words(self) -> str:
        """
        >>> LabelDelays(labelled=200, p50_s=2.0, p90_s=5400.0, p99_s=259200.0).words
        '2 s, 1.5 h, 3 d'
        """
        return ", ".join(map(_time, (self.p50_s, self.p90_s, self.p99_s)))


def _time(seconds: float) -> str:
    for name, length in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.3g} {name}"
    return f"{seconds:.3g} s"
