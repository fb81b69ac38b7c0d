"""The timeline of an incident: what is in it, of which kind, and who did it."""

from typing import get_args

import pytest
from tests.control.incidents.test_planning import World, at, health, sign
from tests.control.world import BACK, FIRST, NAME, OPENED, POLICY, SECOND

from flyball.control.incidents.timeline import kind_of, timeline
from flyball.core import events as e
from flyball.core.errors import NotFound
from flyball.core.ids import Digest, RolloutId
from flyball.core.ledger import Entry
from flyball.core.release import Snapshot
from flyball.core.watching import Signal


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


def around() -> list[Entry]:
    """Input drifts, a training is made of new rows, its release is promoted and fails at once; all within the hour."""
    world = World()
    drifted = Signal(
        signal="psi",
        level="act",
        value=0.4,
        limit=0.25,
        release=FIRST,
        window=7,
        first_row=700,
        last_row=799,
        feature="amount",
        consecutive=3,
    )
    contract = {"contract": "contract.yaml"}
    rows = Snapshot(root=Digest("sha256:5"), files=(), source="captured", rows=20_000)
    waits = e.DecisionTaken(service=NAME, action="retrain", why="drift of amount", waiting_for=("labels",))
    promoted = e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST, rollout=RolloutId("ro-1"))
    opened = e.IncidentOpened(service=NAME, incident="in-1", kind="health", reason="r", cause="errors", began=at(-30))
    script: tuple[tuple[float, e.AnyFact], ...] = (
        (-8000, declared(data=contract)),
        (-3000, e.SignalRaised(service=NAME, signal=drifted)),
        (-2900, waits),
        (-2800, declared(data={"contract": "contract-2.yaml"})),
        (-2700, e.SnapshotTaken(service=NAME, snapshot=rows)),
        (-900, OPENED),
        (-60, promoted),
        (1, opened),
        (5, waits),
        (9, BACK),
        (60, e.IncidentClosed(service=NAME, incident="in-1", how="recovered", reason="gone")),
    )
    for seconds, fact in script:
        world.now_s = seconds
        seq, tag = len(world.entries) + 1, str(type(fact).__struct_config__.tag)
        world.entries.append(Entry(seq=seq, at=at(seconds), type=tag, subject=NAME, fact=fact, prev_hash="", hash=""))
    return world.entries


def test_signals_deployments_changes_of_data_and_schema_and_decisions_are_told_as_what_they_are() -> None:
    found = timeline("in-1", around(), before_s=3600.0)
    lines = found.lines
    assert found.left_out == 1, "a decision from before it began has caused nothing"
    assert [(line.kind, line.type) for line in lines] == [
        ("signal", "signal.raised"),
        ("declaration", "service.declared"),
        ("data", "snapshot.taken"),
        ("deployment", "rollout.opened"),
        ("deployment", "champion.appointed"),
        ("incident", "incident.opened"),
        ("decision", "decision.taken"),
        ("deployment", "rollout.rolled_back"),
        ("incident", "incident.closed"),
    ]
    said = {line.type: line.text for line in lines}
    assert "amount" in said["signal.raised"]
    assert "labels" in said["decision.taken"]
    assert said["service.declared"].endswith("changed: data"), "the contract is another one"
    assert "20000 rows" in said["snapshot.taken"].replace(",", "")
    assert {line.automatic for line in lines if line.kind in ("signal", "decision", "data", "deployment")} == {True}
