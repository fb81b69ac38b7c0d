"""The routine of a service is remembered from the facts alone, and never runs backwards."""

from msgspec.structs import replace

from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import Digest, ServiceName
from flyball.core.ledger import Entry

NAME = ServiceName("fraud")


def _digest(until: str) -> e.DigestWritten:
    return e.DigestWritten(service=NAME, period="weekly", since="", until=until, digest=Digest("sha256:" + "0" * 64))


def _folded(*facts: tuple[str, e.AnyFact]) -> ServiceState:
    state = ServiceState(service="fraud")
    for seq, (at, fact) in enumerate(facts, 1):
        state = fold(state, Entry(seq=seq, at=at, type="", subject="fraud", fact=fact, prev_hash="", hash=""))
    return state


def test_a_digest_of_an_older_week_written_later_does_not_make_the_newer_one_due_again() -> None:
    state = _folded(("2026-11-24", _digest("2026-11-23")), ("2026-11-25", _digest("2026-11-16")))
    assert state.routine.digests == {"weekly": "2026-11-23"}
    assert state.routine.began_at == "2026-11-24"


def test_a_drill_that_was_broken_off_is_no_drill_and_one_that_missed_has_not_passed() -> None:
    passed = e.DrillEnded(service=NAME, drill="d1", fault="latency", outcome="passed")
    missed, aborted = replace(passed, drill="d2", outcome="missed"), replace(passed, drill="d3", outcome="aborted")
    routine = _folded(("1", passed), ("2", missed), ("3", aborted)).routine
    assert routine.drills == {"latency": "2"}
    assert routine.passed == {"latency": "1"}
