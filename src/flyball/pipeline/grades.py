"""How sure one can be of an input later.

A its bytes are in our store, B it is pinned elsewhere until a date, C only its digest is known, D somebody declared it.
A grade is computed when it is asked for, as a pin expires and a store is swept.
"""

from datetime import UTC, datetime, time, timedelta

from flyball.core.release import Grade
from flyball.core.service import Pin


def grade(*, kept: bool, pin: Pin | None, digest: bool, now: datetime) -> Grade:
    """The best grade that holds at this moment.

    Args: kept: the bytes are in our store. digest: their digest is known. now: aware.

    >>> pin = Pin(system="iceberg", table_id="cards", snapshot_id="42", retention_until="2027-06-30")
    >>> day = datetime(2027, 6, 30, 12, tzinfo=UTC)
    >>> grade(kept=False, pin=pin, digest=True, now=day), grade(kept=False, pin=pin, digest=True, now=expires(pin))
    ('B', 'C')
    """
    if kept:
        return "A"
    if pin is not None and now < expires(pin):
        return "B"
    return "C" if digest else "D"


def expires(pin: Pin) -> datetime:
    """The first moment at which the promise is over: the end of its last day, UTC.

    Raises: ValueError: no day of the calendar; `flyball check` refuses such a declaration.
    """
    return datetime.combine(datetime.fromisoformat(pin.retention_until), time(), UTC) + timedelta(days=1)
