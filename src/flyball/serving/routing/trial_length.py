"""How long a release is tried: until the rate at which it answers is known well enough, and no longer than a cap.

Theory of operation. The answers are counted in batches of some moments each, so that what makes neighbours alike (a
pause of the machine, rows that are answered together) is mostly inside of a batch. The rate is the ratio of all rows to
all time; its error is that of a ratio estimator over the batches, with Student's quantile because they are few. The
trial is over when the half-width of the interval is below a tenth of the rate. Stopping when it happens to be narrow
makes it miss a little more often than its nominal confidence; how often is measured (`tests/calibration`). Pure.

Source: Cochran, Sampling Techniques (1977), eq. 6.13 (ratio estimator); Abramowitz and Stegun 26.7.5 (Student's
quantile); Law and Kelton, Simulation Modeling and Analysis, 9.5.3 (batch means).
"""

from collections.abc import Sequence
from math import inf, sqrt

from flyball.core.record import Record

BATCH_S = 0.05  # a batch ends with the first answer after so long
LEAST = 8  # batches
PRECISION = 0.10  # half-width, of the rate
CAP_S = 2.0
_Z = 1.959964  # two-sided 95 %

Batch = tuple[int, float]  # rows answered, seconds


class Rate(Record):
    """Rows that a release answers a second."""

    rows_s: float
    half_width: float  # of the 95 % interval, rows/s; infinite where there were too few batches
    took_s: float

    @property
    def surely(self) -> float:
        """What it surely answers: the lower end, or the rate itself where nothing is known of its error.

        A slow release (a few answers in the whole trial) would else never get a row.

        >>> Rate(rows_s=100.0, half_width=8.0, took_s=0.4).surely, Rate(rows_s=1.0, half_width=inf, took_s=2.0).surely
        (92.0, 1.0)
        """
        return self.rows_s if self.half_width == inf else max(0.0, self.rows_s - self.half_width)


def rate_of(batches: Sequence[Batch]) -> Rate:
    """The rate that these batches show.

    >>> round(rate_of([(10, 0.1)] * 8).rows_s, 6)
    100.0
    >>> rate_of([(10, 0.1)]).half_width
    inf
    """
    n, took = len(batches), sum(seconds for _, seconds in batches)
    if took <= 0.0:
        return Rate(rows_s=0.0, half_width=inf, took_s=0.0)
    rate = sum(rows for rows, _ in batches) / took
    if n < LEAST:
        return Rate(rows_s=rate, half_width=inf, took_s=took)
    squares = sum((rows - rate * seconds) ** 2 for rows, seconds in batches)
    error = sqrt(squares / (n * (n - 1))) / (took / n)
    return Rate(rows_s=rate, half_width=student(n - 1) * error, took_s=took)


def over(batches: Sequence[Batch]) -> bool:
    """Whether enough is known, or the time is up.

    >>> over([(10, 0.1)] * 7), over([(10, 0.1)] * 8), over([(10, 0.1), (30, 0.1)] * 4), over([(1, 2.0)])
    (False, True, False, True)
    """
    found = rate_of(batches)
    return found.took_s >= CAP_S or (found.rows_s > 0.0 and found.half_width <= PRECISION * found.rows_s)


def student(freedom: int) -> float:
    """The quantile of Student's t for a two-sided interval of 95 %, to a thousandth from 7 degrees of freedom on.

    >>> round(student(7), 2), round(student(30), 3)
    (2.36, 2.042)
    """
    z, v = _Z, float(freedom)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )
