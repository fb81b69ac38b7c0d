"""The last chapter: the world shifts, and the loop finds it, names it, learns it and asks before it acts."""

from flyball.app.demo.load import Scored
from flyball.app.demo.observe import NotSeen
from flyball.app.demo.rollouts import WITHIN_S, answers, approved, opened, promoted
from flyball.app.demo.traffic import SHIFTED, SHIFTED_FEATURES
from flyball.app.demo.world import World
from flyball.core import events as e
from flyball.core.ids import short
from flyball.core.release import Release
from flyball.core.watching import Signal
from flyball.stats.scoring.metrics import score

ENOUGH = 600  # answers behind each of our own figures of quality


async def shift(world: World, champion: str) -> None:
    """Other inputs that mean something else: signal, diagnosis, retraining, approval, promotion."""
    chapter = "drift"
    world.follow.catch_up()
    after, load = world.follow.seq, world.traffic
    await answers(world, champion, ENOUGH)
    drift = world.report.drift
    drift.roc_auc["before"] = quality(load.scored_by(champion)[-ENOUGH:])
    began, first = world.now(), load.shift(SHIFTED)
    auc = drift.roc_auc["before"]
    world.tell(chapter, f"shoppers go online and far from home; so far the answers had an AUC of {auc:.2f}")
    signal = await _signal(world, after)
    drift.feature, drift.psi = signal.feature, round(signal.value, 3)
    drift.rows, drift.seconds = load.counts.sent - first, round(world.now() - began, 1)
    world.tell(
        chapter,
        f"found after {drift.rows} requests and {drift.seconds:g} s: PSI of {signal.feature} {signal.value:.2f}, "
        f"{signal.consecutive} windows beyond {signal.limit:g}",
        feature=signal.feature,
        psi=drift.psi,
        rows=drift.rows,
        seconds=drift.seconds,
    )
    release = await _retrained(world, chapter, after)
    drift.roc_auc["shifted"] = quality(load.scored_by(champion, since=first))
    rollout = await opened(world, release.root, after)
    await approved(world, chapter, rollout)
    await promoted(world, chapter, rollout)
    drift.recovered_s, drift.promoted = round(world.now() - began, 1), True
    await answers(world, release.root, ENOUGH)
    drift.roc_auc["recovered"] = quality(load.scored_by(release.root, since=first))
    told = ", ".join(f"{when} {value:.2f}" for when, value in drift.roc_auc.items())
    world.tell(chapter, f"{drift.recovered_s:g} s after the shift the new release serves; AUC of the answers: {told}")


async def _signal(world: World, after: int) -> Signal:
    """The signal that fires: a shifted feature, beyond `act` for as many windows as the policy asks."""
    raised = await world.follow.until(
        e.TicketOpened, what="a retrain ticket for the shift", after=after, within_s=WITHIN_S
    )
    found = [
        signal
        for signal in (*raised.evidence, *(fact.signal for fact in world.follow.find(e.SignalRaised, after=after)))
        if signal.signal == "psi" and signal.level == "act" and signal.feature in SHIFTED_FEATURES
    ]
    if not found:
        raise NotSeen(f"a PSI signal of {' or '.join(SHIFTED_FEATURES)} behind ticket {raised.ticket}")
    return found[0]


async def _retrained(world: World, chapter: str, after: int) -> Release:
    """Diagnosis, order and a release that passed its gates."""
    made = await world.follow.until(
        e.DiagnosisMade,
        lambda fact: fact.diagnosis.remedy == "retrain",
        what="a diagnosis that asks for a retraining",
        after=after,
        within_s=WITHIN_S,
    )
    world.report.drift.diagnosis = made.diagnosis.kind
    world.tell(chapter, f"diagnosis: {made.diagnosis.kind.replace('_', ' ')}: {made.diagnosis.reason}")
    ordered = await world.follow.until(
        e.RetrainOrdered, what="the retraining to be ordered", after=after, within_s=WITHIN_S
    )
    registered = await world.follow.until(
        e.ReleaseRegistered,
        lambda fact: fact.ticket == ordered.ticket,
        what="a retrained release",
        after=after,
        within_s=90.0,
        unless=lambda fact: fact.error if isinstance(fact, e.TrainingFailed) else None,
    )
    judged = await world.follow.until(
        e.GatesJudged, lambda fact: fact.release == registered.release.root, what="its gates", after=after
    )
    if not judged.passed:
        raise NotSeen("a retrained release that passes its gates: " + "; ".join(g.reason for g in judged.results))
    gate = next((result for result in judged.results if result.champion is not None), None)
    world.tell(
        chapter,
        f"retrained by {ordered.by}: release {short(registered.release.root)} passed its gates"
        + (f", {gate.reason}" if gate else ""),
        release=registered.release.root,
        trained_rows=registered.release.trained_rows,
    )
    return registered.release


def quality(rows: list[Scored]) -> float:
    """AUC of answers that clients got."""
    return round(score("roc_auc", [row.is_fraud for row in rows], None, [row.score for row in rows]), 4)
