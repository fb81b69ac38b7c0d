"""Every cause that anything can have has its row, and no symptom holds what explains it."""

from typing import get_args

from flyball.control.alerts.table import EXPLAINS, TABLE, row_of
from flyball.control.state.alert_causes import OF_SIGNAL, cause_of, family
from flyball.core.facts.incident import IncidentKind
from flyball.core.health import SignKind
from flyball.core.watching import SignalKind


def _words(annotation: object) -> list[str]:
    found = []
    for each in get_args(annotation):
        found += [each] if isinstance(each, str) else _words(each)
    return found


def test_every_sign_and_every_signal_has_a_row_of_its_own() -> None:
    signs, signals = _words(SignKind), _words(SignalKind)
    assert len(signs) >= 11
    assert set(signs) <= set(TABLE)
    assert set(OF_SIGNAL) == set(signals)
    assert {family(cause_of(kind, None)) for kind in signals} <= set(TABLE)
    others = ("training", "capture", "command/route", "command/train", "rollback", "budget/x", "upstream", "overdue/x")
    assert all(row_of(cause) is not TABLE["incident"] for cause in others)
    assert set(_words(IncidentKind)) == {"data_quality", "health", "upstream", "drill"}


def test_names_are_camel_case_and_each_is_one_cause() -> None:
    names = [row.name for row in TABLE.values()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name[0].isupper() and "_" not in name for name in names)


def test_only_what_clients_feel_pages_before_the_service_has_failed() -> None:
    early = {cause for cause, row in TABLE.items() if row.pages("critical")}
    assert early == {"availability", "errors", "latency", "budget", "command/route", "check", "planner"}
    assert {cause for cause, row in TABLE.items() if row.pages("warning")} == {"command/route", "check", "planner"}


def test_what_explains_others_is_explained_by_none_of_them() -> None:
    """No circle: a page is never held by its own symptom."""
    assert set(EXPLAINS) <= set(TABLE)

    def below(known: str, path: tuple[str, ...]) -> None:
        assert known not in path, f"a circle: {path}"
        for symptom in EXPLAINS.get(known, ()):
            assert symptom in TABLE
            below(symptom, (*path, known))

    for known in EXPLAINS:
        below(known, ())
