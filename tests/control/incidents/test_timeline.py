"""The timeline of an incident: what is in it, of which kind, and who did it."""

from typing import get_args

import pytest
from tests.control.incidents.test_planning import World, at, health, sign
from tests.control.world import NAME, POLICY

from flyball.control.incidents.timeline import kind_of, timeline
from flyball.core import events as e
from flyball.core.errors import NotFound
from flyball.core.ledger import Entry


def tags() -> list[str]:
    return [str(kind.__struct_config__.tag) for kind in get_args(e.AnyFact)]


def test_every_fact_is_of_a_kind() -> None:
    assert len(tags()) > 70
    assert [tag for tag in tags() if kind_of(tag) == "other"] == []


def declared(**sections: object) -> e.ServiceDeclared:
    return e.ServiceDeclared(service=NAME, policy=POLICY, folder="fraud", declaration=sections)


REMEDY = e.RemedyBegun(
    service=NAME,
    remedy="re-1",
    kind="fall_back",
    cause="errors",
    number=0,
    why="the first of its policy",
    verify_by=at(99),
)


def told() -> list[Entry]:
    """A declaration that changed, a freeze, an incident that recovers, and what came long before and after."""
    world = World()
    script: tuple[tuple[float, e.AnyFact], ...] = (
        (-9000, e.SignalCleared(service=NAME, signal="psi", feature="amount")),
        (-8000, declared(monitor={}, rollout={})),
        (-600, declared(monitor={"window_rows": 5}, rollout={})),
        (0, health(sign("errors", since_s=-30.0))),
        (1, e.IncidentOpened(service=NAME, incident="in-1", kind="health", reason="r", cause="errors", began=at(-30))),
        (2, e.Frozen(service=NAME, by="ada", why="look")),
        (3, REMEDY),
        (9, e.RemedyVerified(service=NAME, remedy="re-1", helped="yes", why="errors are 0.1 %")),
        (60, health()),
        (
            400,
            e.IncidentClosed(
                service=NAME, incident="in-1", how="recovered", reason="gone", detected_s=31.0, recovered_s=59.0
            ),
        ),
        (500, e.SignalCleared(service=NAME, signal="psi", feature="hour")),
        (900, e.ForensicsKept(service=NAME, incident="in-1", digest="sha256:0", files=("a.json",))),
    )
    for seconds, fact in script:
        world.now_s = seconds
        seq = len(world.entries) + 1
        tag = str(type(fact).__struct_config__.tag)
        world.entries.append(Entry(seq=seq, at=at(seconds), type=tag, subject=NAME, fact=fact, prev_hash="", hash=""))
    return world.entries


def test_it_holds_what_came_from_some_time_before_it_began_to_its_end_and_what_names_it() -> None:
    found = timeline("in-1", told(), before_s=3600.0)
    assert [line.type for line in found.lines] == [
        "service.declared",
        "health.changed",
        "incident.opened",
        "service.frozen",
        "remedy.begun",
        "remedy.verified",
        "health.changed",
        "incident.closed",
        "forensics.kept",
    ]
    assert (found.began, found.opened_at, found.closed_at) == (at(-30), at(1), at(400))
    assert (found.detected_s, found.recovered_s, found.how) == (31.0, 59.0, "recovered")
    assert found.forensics is not None


def test_from_before_it_began_only_what_may_have_caused_it_is_shown_unless_all_is_asked_for() -> None:
    noise: tuple[tuple[float, e.AnyFact], ...] = (
        (-500, health()),
        (-400, e.DecisionTaken(service=NAME, action="retrain", why="too few rows", waiting_for=("rows",))),
        (-300, e.ProcessStarted(service=NAME, process="gateway")),
        (-200, e.SignalCleared(service=NAME, signal="psi", feature="amount")),
    )
    entries = told()
    for seconds, fact in noise:
        tag = str(type(fact).__struct_config__.tag)
        entries.append(Entry(seq=1, at=at(seconds), type=tag, subject=NAME, fact=fact, prev_hash="", hash=""))
    entries.sort(key=lambda one: one.at)
    found = timeline("in-1", entries, before_s=3600.0)
    assert [line.type for line in found.lines if line.at < at(-30)] == ["service.declared", "signal.cleared"]
    assert found.left_out == 3
    whole = timeline("in-1", entries, before_s=3600.0, whole=True)
    assert (len(whole.lines), whole.left_out) == (len(found.lines) + 3, 0)


def test_a_declaration_says_which_sections_it_changed() -> None:
    line = timeline("in-1", told(), before_s=3600.0).lines[0]
    assert line.text.endswith("changed: monitor")
    assert line.kind == "declaration"


def test_what_a_person_did_is_not_automatic() -> None:
    by_hand = {line.type for line in timeline("in-1", told(), before_s=3600.0).lines if not line.automatic}
    assert by_hand == {"service.declared", "service.frozen"}


def test_an_open_one_has_no_end_and_one_that_is_unknown_is_refused() -> None:
    entries = [one for one in told() if not isinstance(one.fact, e.IncidentClosed)]
    found = timeline("in-1", entries, before_s=0.0)
    assert (found.closed_at, found.recovered_s) == (None, None)
    assert found.lines[-1].type == "forensics.kept"
    with pytest.raises(NotFound):
        timeline("in-2", entries, before_s=0.0)
