"""Releases as a fold: whatever order facts come in, there is at most one champion, and who said so is known."""

from itertools import pairwise
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.core import events
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, RolloutId, ServiceName
from flyball.core.ledger import Entry
from flyball.core.release import Release, TestResult
from flyball.core.routing import Verdict
from flyball.registry.releases import Registry, fold, registry
from flyball.registry.stages import TABLE, Event, Stage, after, allowed

NAME = ServiceName("fraud")
ROOTS = tuple(ReleaseRoot(f"sha256:{letter * 64}") for letter in "abc")
VERDICT = Verdict(kind="ROLL_BACK", reason="errors")


def release(root: ReleaseRoot, experiment: str = "") -> Release:
    return Release(
        root=root,
        experiment=ExperimentDigest(experiment or f"fx1:{root}"),
        service=NAME,
        task="binary",
        snapshot=Digest("sha256:0"),
        metrics={},
        gates=(),
        passed=True,
    )


def registered(root: ReleaseRoot) -> events.AnyFact:
    return events.ReleaseRegistered(service=NAME, release=release(root))


def judged(root: ReleaseRoot, passed: bool = True) -> events.AnyFact:
    return events.GatesJudged(service=NAME, release=root, passed=passed, results=())


def appointed(root: ReleaseRoot, previous: ReleaseRoot | None = None) -> events.AnyFact:
    return events.ChampionAppointed(service=NAME, release=root, previous=previous, by="ann")


def opened(root: ReleaseRoot, champion: ReleaseRoot) -> events.AnyFact:
    return events.RolloutOpened(
        service=NAME,
        rollout=RolloutId(f"ro-{root[-1]}"),
        release=root,
        champion=champion,
        policy=Digest("sha256:0"),
        salt="s",
        reason="manual",
    )


def rolled_back(root: ReleaseRoot, to: ReleaseRoot) -> events.AnyFact:
    return events.RolledBack(
        service=NAME,
        rollout=RolloutId(f"ro-{root[-1]}"),
        release=root,
        to=to,
        cause="errors",
        by="gateway",
        verdict=VERDICT,
        epoch=2,
    )


def closed(root: ReleaseRoot) -> events.AnyFact:
    return events.RolloutClosed(service=NAME, rollout=RolloutId(f"ro-{root[-1]}"), outcome="rejected", reason="no")


roots = st.sampled_from(ROOTS)
facts = st.one_of(
    roots.map(registered),
    st.builds(judged, roots, st.booleans()),
    roots.map(appointed),
    st.builds(opened, roots, roots),
    st.builds(rolled_back, roots, roots),
    roots.map(closed),
    st.just(events.Frozen(service=NAME, by="ann", why="")),
)
histories = st.lists(facts, max_size=40)


def entries(history: list[events.AnyFact]) -> list[Entry]:
    return [
        Entry(seq=n, at=f"2026-11-21T10:00:{n:02d}Z", type="", subject=NAME, fact=fact, prev_hash="", hash="")
        for n, fact in enumerate(history, 1)
    ]


@given(histories)
def test_there_is_never_more_than_one_champion_and_it_is_the_newest_term(history: list[events.AnyFact]) -> None:
    state = registry(entries(history))
    reigning = [root for root, known in state.releases.items() if known.stage == "champion"]
    assert len(reigning) <= 1
    assert state.champion is None or state.champion == state.terms[-1].release
    if reigning:
        assert reigning == [state.champion]


@given(histories)
def test_the_previous_one_is_never_the_champion_and_was_champion_once(history: list[events.AnyFact]) -> None:
    state = registry(entries(history))
    if state.previous is not None:
        assert state.previous != state.champion
        assert state.previous in [term.release for term in state.terms]
        assert state.releases[state.previous].stage == "retired"


@given(histories)
def test_folding_an_entry_again_changes_nothing(history: list[events.AnyFact]) -> None:
    once = registry(entries(history))
    assert registry([*entries(history), *entries(history)]) == once


@given(histories)
def test_every_change_of_stage_is_in_the_table_and_names_its_line(history: list[events.AnyFact]) -> None:
    lines = entries(history)
    arrows = {(before, stage) for (before, _), stage in TABLE.items()}
    for known in registry(lines).releases.values():
        steps = [None, *(word.stage for word in known.history)]
        assert set(pairwise(steps)) <= arrows
        assert all(lines[word.seq - 1].at == word.at for word in known.history)


@given(st.sampled_from([None, *get_args(Stage)]), st.sampled_from(get_args(Event)))
def test_an_arrow_that_is_not_in_the_table_changes_nothing(stage: Stage | None, event: Event) -> None:
    assert allowed(stage, event) or after(stage, event) == stage


def test_every_stage_can_be_reached_and_a_refused_release_is_never_appointed() -> None:
    assert set(TABLE.values()) == set(get_args(Stage))
    assert not allowed("refused", "appointed")
    assert not allowed("built", "appointed")


def test_a_release_that_failed_its_gates_does_not_become_champion_even_if_a_fact_says_so() -> None:
    state = registry(entries([registered(ROOTS[0]), judged(ROOTS[0], passed=False), appointed(ROOTS[0])]))
    assert state.champion is None


def test_a_promotion_retires_the_champion_and_a_rollback_brings_it_back() -> None:
    a, b = ROOTS[:2]
    first = [registered(a), judged(a), appointed(a), registered(b), judged(b), opened(b, a), appointed(b, a)]
    promoted = registry(entries(first))
    assert (promoted.champion, promoted.previous) == (b, a)
    back = registry(entries([*first, rolled_back(b, a)]))
    assert (back.champion, back.previous) == (a, None)
    assert back.releases[b].stage == "withdrawn"
    assert [(term.release, term.by) for term in back.terms] == [(a, "ann"), (b, "ann"), (a, "gateway")]
    again = fold(back, entries([*first, rolled_back(b, a), appointed(a, b)])[-1])
    assert again.terms == back.terms


def test_a_candidate_that_was_rejected_is_withdrawn_and_may_come_back() -> None:
    a, b = ROOTS[:2]
    story = [registered(a), judged(a), appointed(a), registered(b), judged(b), opened(b, a), closed(b)]
    assert registry(entries(story)).releases[b].stage == "withdrawn"
    assert registry(entries([*story, opened(b, a)])).releases[b].stage == "candidate"


def test_two_experiments_with_the_same_bytes_lead_to_one_release() -> None:
    other = events.ReleaseRegistered(service=NAME, release=release(ROOTS[0], experiment="fx1:other"))
    state = registry(entries([registered(ROOTS[0]), judged(ROOTS[0]), other]))
    assert len(state.releases) == 1
    found = state.of_experiment("fx1:other")
    assert found is not None
    assert found.release.root == ROOTS[0]
    assert state.of_experiment("fx1:unknown") is None


def test_the_newest_judgement_of_the_same_bytes_is_told_with_its_own_tests() -> None:
    leak = TestResult(suite="data", name="target leak", dimension="data", verdict="FAIL", reason="'x' tells all")
    again = replace(release(ROOTS[0], experiment="fx1:other"), tests=(leak,), passed=False)
    other = events.ReleaseRegistered(service=NAME, release=again)
    story = [registered(ROOTS[0]), judged(ROOTS[0]), other, judged(ROOTS[0], passed=False)]
    found = registry(entries(story)).releases[ROOTS[0]]
    assert (found.stage, found.history[-1].why) == ("refused", "target leak: 'x' tells all")
    champion = [registered(ROOTS[0]), judged(ROOTS[0]), appointed(ROOTS[0]), other, judged(ROOTS[0], passed=False)]
    serves = registry(entries(champion)).releases[ROOTS[0]]
    assert (serves.stage, serves.release.tests) == ("champion", ())


def test_an_empty_ledger_has_no_champion() -> None:
    assert Registry().champion is None
    assert Registry().previous is None
