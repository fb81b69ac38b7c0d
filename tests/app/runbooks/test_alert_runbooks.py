"""Whoever is alerted finds the runbook that the alert names, and it says that it is for that cause."""

import pytest

from flyball.app.runbooks.shelf import names, shelf
from flyball.control.alerts.table import FAILED_RUNBOOK, TABLE, runbooks
from flyball.control.state.alert_causes import family


def test_every_runbook_that_an_alert_may_name_is_there() -> None:
    assert runbooks() <= set(names())
    assert FAILED_RUNBOOK in names()


@pytest.mark.parametrize("cause", [cause for cause in TABLE if cause not in ("command", "incident")])
def test_the_runbook_of_a_cause_says_that_it_is_for_it(cause: str) -> None:
    causes = shelf()[TABLE[cause].runbook].causes
    assert cause in causes or family(cause) in causes
