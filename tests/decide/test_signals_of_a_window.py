"""What goes on the ledger: beginnings, changes of level and ends, not every window of a long drift."""

from tests.decide.windows import report

from flyball.core.events import SignalCleared, SignalRaised
from flyball.decide.signals import signal_facts

BAD, FINE = (0.08, 0.05), (0.001, -0.02)


def test_a_month_of_drift_is_one_fact() -> None:
    first = report(0, psi={"a": 0.6})
    (raised,) = signal_facts("s", first, ())
    assert isinstance(raised, SignalRaised)
    assert signal_facts("s", report(1, psi={"a": 0.7}, streak=2), first.signals) == ()


def test_a_signal_that_rises_to_act_is_told_again() -> None:
    warned = report(0, psi={"a": 0.2})
    (fact,) = signal_facts("s", report(1, psi={"a": 0.6}), warned.signals)
    assert isinstance(fact, SignalRaised)
    assert fact.signal.level == "act"


def test_a_signal_that_ends_is_cleared() -> None:
    (fact,) = signal_facts("s", report(1), report(0, psi={"a": 0.6}).signals)
    assert isinstance(fact, SignalCleared)
    assert (fact.signal, fact.feature) == ("psi", "a")


def test_only_a_new_metric_clears_a_risk() -> None:
    standing = report(0, loss=BAD).signals
    assert signal_facts("s", report(1), standing) == ()
    assert len(signal_facts("s", report(2, loss=FINE), standing)) == 1
