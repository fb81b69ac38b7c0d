"""Is a training due by the calendar? Missed moments count once: a schedule asks for a state, not for runs."""

from datetime import datetime

from cronsim import CronSim, CronSimError

from flyball.core.errors import BadInput, Fault


def due(schedule: str, since: datetime, now: datetime) -> datetime | None:
    """The first moment of the schedule after `since`, if it has come; else None.

    Args: schedule: five fields of cron. since, now: with a time zone, in which the fields are read.

    Raises: BadInput: no schedule.

    >>> from datetime import UTC
    >>> monday, friday = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)
    >>> str(due("0 3 * * *", monday, friday))
    '2026-11-23 03:00:00+00:00'
    >>> due("0 3 * * 0", monday, friday) is None
    True
    """
    try:
        following = next(CronSim(schedule, since), None)
    except CronSimError as error:
        fault = Fault(where="retrain", path="schedule", expected="five fields of cron: 0 3 * * 0", found=repr(schedule))
        raise BadInput(f"no schedule: {error}", (fault,)) from error
    return following if following is not None and following <= now else None
