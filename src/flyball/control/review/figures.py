"""The figures of a scorecard, one function each: what is counted, over what, and what is missing where nobody knows."""

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Literal

from flyball.control.review.outside import Answers
from flyball.control.review.past import Budget, Happened, Past
from flyball.control.unanswered import seconds_of
from flyball.core.facts.incident import OF_SUPPLY
from flyball.core.record import Record
from flyball.decide.calendar import Span

Unit = Literal["share", "s", "per month", "per week", "cost", "objectives"]
WEEK_S = 7 * 86_400.0
DISASTER = "disaster"


class Figure(Record):
    """A figure before it is held to its target."""

    name: str
    unit: Unit
    value: float | None
    better: Literal["higher", "lower"]
    n: int
    why: str
    of: tuple[int, int] | None = None  # of a share: so many of so many
    evidence: tuple[int, ...] = ()
    units: float | None = None  # of a rate that few cases make: so many months; one begun counts as a whole one


def availability(past: Past, answers: Answers | None) -> Figure:
    """Rows that got an answer, of those that wanted one and were well formed. Who was turned away got none. Who asked
    while no gateway was there is in no log, so for how long that was is said beside it."""
    unseen = _unseen(past)
    if answers is None or not answers.asked:
        why = "no prediction log could be read" if answers is None else "no row of a client is in the log"
        why += unseen
        return Figure(name="availability", unit="share", value=None, better="higher", n=0, why=why)
    why = f"{answers.failed + answers.shed} of {answers.asked} rows got no answer"
    why += f", {answers.shed} of them turned away under load" if answers.shed else ""
    why += f"; {answers.missing}" if answers.missing else ""
    return _share("availability", answers.answered, answers.asked, why + unseen, past.unanswered)


def _unseen(past: Past) -> str:
    """For how long nobody was there to count: no share of rows sees that."""
    if not past.unanswered:
        return ""
    seconds, times = seconds_of(each.silence for each in past.unanswered), len(past.unanswered)
    often = "once" if times == 1 else f"{times} times"
    return f"; for {seconds:.0f} s ({often}) no gateway answered, and what was asked then is in no count"


def data_incidents(past: Past, span: Span, answers: Answers | None) -> Figure:
    """Incidents of data quality or of upstream, in a month of the calendar. Where no row came nobody could see one."""
    found = [each for each in past.opened if each.kind in OF_SUPPLY]
    value = len(found) / span.months
    why = f"{len(found)} in {span.months:.2f} months"
    if not found and (answers is None or not answers.asked):
        none = "none was opened, and no row is in the log by which one could have been seen"
        return Figure(name="data incidents", unit="per month", value=None, better="lower", n=0, why=none)
    return Figure(
        name="data incidents",
        unit="per month",
        value=value,
        better="lower",
        n=len(found),
        why=why,
        evidence=_seqs(found),
        units=span.months,
    )


def detected(past: Past) -> Figure:
    """Mean of the times from the beginning of an incident to its opening, as far as its beginning is known."""
    opened, closed = past.opened, past.closed
    times = [(each.seq, each.detected_s) for each in opened if each.detected_s is not None]
    times += [(each.seq, each.detected_s) for each in closed if each.detected_s is not None]
    blind = len([each for each in opened if each.detected_s is None])
    why = f"mean of {len(times)}" + (f"; when {blind} more began is not known" if blind else "")
    if not times:
        why = "no incident was opened" if not opened else f"when {len(opened)} incidents began is not known"
    return _mean("time to detect", times, why)


def recovered(past: Past) -> Figure:
    """Mean of the times from the opening of an incident until what it was about was over; open ones have none yet."""
    closed = past.closed
    times = [(each.seq, each.recovered_s) for each in closed]
    by_closing = sum(each.by_closing for each in closed)
    why = f"mean of {len(times)}" + (f", {by_closing} of them up to their closing" if by_closing else "")
    over = {each.what for each in closed}
    still = [each for each in past.opened if each.what not in over]
    said = f"; {len(still)} that were opened are not over: {', '.join(each.what for each in still)}" if still else ""
    return _mean("time to recover", times, (why if times else "no incident was closed") + said)


def drilled(past: Past) -> tuple[Figure, ...]:
    """Of faults on purpose: how many were seen and recovered from with no hand, and how fast. A drill of a disaster
    restores elsewhere, so there is nothing to detect in it."""
    found = [each for each in past.drills if each.what != DISASTER]
    seen = [each for each in found if each.detected_s is not None]
    alone = [each for each in found if each.automatic and each.recovered_s is not None]
    lost = sum(each.answers_failed for each in found)
    none = "nothing was drilled"
    times = [(each.seq, each.detected_s) for each in found if each.detected_s is not None]
    over = [(each.seq, each.recovered_s) for each in found if each.recovered_s is not None]
    told = f"{len(alone)} of {len(found)} recovered with no hand, {lost} answers failed"
    return (
        _share("drills detected", len(seen), len(found), f"{len(seen)} of {len(found)} were seen", found, none),
        _share("drills recovered alone", len(alone), len(found), told, found, none),
        _mean("drills: time to detect", times, f"mean of {len(times)}" if times else none),
        _mean("drills: time to recover", over, f"mean of {len(over)}" if over else none),
    )


def checked(past: Past) -> Figure:
    """Deployments whose release was a shadow, a canary or in a soak before; a first release has nobody beside it."""
    later = [each for each in past.deployments if not each.first]
    first = len(past.deployments) - len(later)
    tried = [each for each in later if each.checked]
    why = f"{len(tried)} of {len(later)} went through a shadow, a canary or a soak"
    why += f"; {first} first release is left out" if first else ""
    return _share("deployments tried first", len(tried), len(later), why, later, "no deployment but a first one")


def automated(past: Past) -> Figure:
    """Remedies that no person had to begin or to carry out. One of ours counts where it helped: a chain of remedies
    that all failed, and then called somebody, is one remedy by hand."""
    alone = sum(each.automatic for each in past.remedies)
    kinds = ", ".join(sorted({each.what for each in past.remedies if not each.automatic}))
    why = f"{alone} of {len(past.remedies)} needed no hand" + (f"; by hand: {kinds}" if kinds else "")
    return _share("remedies automated", alone, len(past.remedies), why, past.remedies, "nothing had to be remedied")


def lead_time(past: Past) -> Figure:
    """Median of the times from the commit that asked, or the start of the experiment, to the champion's place."""
    known = [(each.seq, each.lead_s) for each in past.deployments if each.lead_s is not None]
    blind = len(past.deployments) - len(known)
    if not known:
        why = f"of {blind} deployments no beginning is on the ledger" if blind else "nothing was deployed"
        return Figure(name="lead time", unit="s", value=None, better="lower", n=0, why=why)
    why = f"median of {len(known)}" + (f"; of {blind} more no beginning is on the ledger" if blind else "")
    seqs = tuple(seq for seq, _ in known)
    value = median(seconds for _, seconds in known)
    return Figure(name="lead time", unit="s", value=value, better="lower", n=len(known), why=why, evidence=seqs)


def deployments(past: Past, span: Span, *, there: bool) -> Figure:
    """Releases that took the champion's place, a week. `there`: the service was on the ledger."""
    n = len(past.deployments)
    value = n / (span.seconds / WEEK_S) if there else None
    why = f"{n} in {span.days:g} days" if there else "the service was not on the ledger"
    return Figure(
        name="deployments",
        unit="per week",
        value=value,
        better="higher",
        n=n,
        why=why,
        evidence=_seqs(past.deployments),
    )


def pipeline(past: Past) -> Figure:
    """Runs that the loop had begun and that ended well with no hand, of all but the first of a service."""
    runs = [each for each in past.runs if not each.first]
    well = [each for each in runs if each.well]
    alone = sum(not each.helped for each in well)
    by_hand = len(well) - alone
    why = f"{alone} of {len(runs)} runs ended well with no hand"
    why += f"; well, but a person began or helped them: {by_hand}" if by_hand else ""
    why += f"; not ended well: {len(runs) - len(well)}" if len(well) < len(runs) else ""
    return _share("pipeline success", alone, len(runs), why, runs, "no run but a first one has ended")


def change_failures(past: Past) -> Figure:
    """Releases taken back, during their rollout or after it, of those that clients met."""
    failed, changes = past.failures, past.changes
    promoted = sum(each.promoted for each in failed)
    met = {each.what for each in changes}
    earlier = sum(each.what not in met for each in failed)
    why = f"{len(failed)} taken back ({promoted} of them as champion) of {len(changes)} that clients met"
    why += f"; {earlier} of those taken back were met before" if earlier else ""
    return _share("change failures", len(failed), len(changes), why, (*changes, *failed), NO_CHANGE, better="lower")


def reproducible(past: Past) -> Figure:
    """Experiments that were run again and came out the same, of those that were; how many releases nobody asked."""
    same = [each for each in past.reproduced if each.same]
    asked = {each.what for each in past.reproduced}
    releases = {each.what for each in past.releases}
    why = f"{len(same)} of {len(past.reproduced)} came out the same"
    why += f"; of {len(releases)} releases of the span {len(releases & asked)} were run again" if releases else ""
    none = "no experiment was run again" + (f", and {len(releases)} releases could be" if releases else "")
    return _share("reproducible", len(same), len(past.reproduced), why, past.reproduced, none)


def cost(past: Past, answers: Answers | None, serving_cost_per_hour: float | None, hours: float | None) -> Figure:
    """Cost of the trainings and of serving, over the rows that were answered."""
    trainings = [each.cost for each in past.runs]
    missing = []
    if serving_cost_per_hour is None:
        missing.append("review.serving_cost_per_hour is not declared")
    if any(each is None for each in trainings):
        missing.append("experiment.limits.cost_per_hour is not declared")
    if answers is None or not answers.answered:
        missing.append("no answered row is in the log")
    if hours is None:
        missing.append("for how long it served is not known")
    if missing or answers is None or serving_cost_per_hour is None or hours is None:
        why = "; ".join(missing)
        return Figure(name="cost per prediction", unit="cost", value=None, better="lower", n=0, why=why)
    trained = sum(each for each in trainings if each is not None)
    value = (trained + serving_cost_per_hour * hours) / answers.answered
    why = f"{trained:g} for {len(trainings)} trainings and {serving_cost_per_hour:g} for each of {hours:g} hours"
    why += f", over {answers.answered} rows"
    return Figure(name="cost per prediction", unit="cost", value=value, better="lower", n=answers.answered, why=why)


def budget(spent: Sequence[Budget] | None, left: Mapping[str, float] | None) -> Figure:
    """Error budgets of which nothing was left at the end."""
    if spent is None and not left:
        why = "no error budget was ever counted"
        return Figure(name="budgets spent", unit="objectives", value=None, better="lower", n=0, why=why)
    gone = {each.what: each for each in spent or ()}
    shares = {name: each.left for name, each in gone.items()} | dict(left or {})  # what is counted now is newer
    out = [name for name, share in shares.items() if share <= 0 or (name in gone and name not in (left or {}))]
    told = [f"{name} ({shares[name]:.0%} left)" for name in out]
    still = [f"{name} has {share:.0%}" for name, share in shares.items() if name not in out]
    why = "; ".join([*(["spent: " + ", ".join(told)] if told else ["none is spent"]), *still])
    return Figure(
        name="budgets spent",
        unit="objectives",
        value=float(len(out)),
        better="lower",
        n=len(shares),
        why=why,
        evidence=_seqs(tuple(gone.values())),
    )


NO_CHANGE = "clients met no new release"


def _share(
    name: str,
    of: int,
    n: int,
    why: str,
    happened: Sequence[Happened] = (),
    none: str = "",
    *,
    better: Literal["higher", "lower"] = "higher",
) -> Figure:
    if n == 0:
        told = none if of == 0 else f"{none}, and {of} of an earlier time were taken back"
        return Figure(name=name, unit="share", value=None, better=better, n=0, why=told, evidence=_seqs(happened))
    return Figure(
        name=name, unit="share", value=of / n, better=better, n=n, why=why, of=(of, n), evidence=_seqs(happened)
    )


def _mean(name: str, times: Sequence[tuple[int, float]], why: str) -> Figure:
    value = fmean(seconds for _, seconds in times) if times else None
    seqs = tuple(sorted(seq for seq, _ in times))
    return Figure(name=name, unit="s", value=value, better="lower", n=len(times), why=why, evidence=seqs)


def _seqs(happened: Sequence[Happened]) -> tuple[int, ...]:
    return tuple(sorted(each.seq for each in happened))
