"""Items of the checklist about watching: data, labels, probes, alerts, the fallback chain and drills."""

from collections.abc import Iterable, Sequence
from functools import partial

from flyball.control.overdue import links, overdue
from flyball.control.review.readiness.item import Asked, Item, failed, fresh, looked_at, passed, unknown
from flyball.control.review.seen import DAY_S, QUARTER_S
from flyball.core import events as e
from flyball.core.declared.drills import FALLBACK
from flyball.core.undrillable import undrillable

TESTED_S = 90 * DAY_S  # a test of an alert, at most so long ago
DISASTER = "disaster"
PREVIOUS = "previous"  # link of the fallback chain: the release before the champion


def watching(asked: Asked) -> Iterable[Item]:
    """What sees that something is wrong, and what catches it."""
    yield looked_at("the data contract has service levels", asked.looked.levels, "contract.yaml: slaProperties")
    yield looked_at("labels arrive", asked.looked.labels, "send them: POST /v1/labels")
    yield looked_at("a controller keeps the service", asked.looked.controller, "flyball up")
    yield _metric(asked)
    yield _probes(asked)
    yield _health(asked)
    yield from _fallback(asked)
    yield _on_call(asked)
    yield _alerts_tested(asked)
    yield _runbooks(asked)
    yield _drills(asked)
    yield _laid_aside(asked)
    yield _disaster(asked)


def _metric(asked: Asked) -> Item:
    name = "how right it is is watched"
    metric = asked.service.monitor.live_metric
    if metric is None:
        return failed(name, "no live metric is declared", "monitor.live_metric: {name: ..., max_loss: ...}")
    return passed(name, f"{metric.name}, at most {metric.max_loss} worse than on the holdout")


def _probes(asked: Asked) -> Item:
    name = "it is probed"
    probes = asked.service.serving.probes
    if probes is None:
        return failed(name, "nobody asks but clients", "serving.probes: {every_s: 10s}")
    return passed(name, f"{', '.join(probes.endpoints)}, every {probes.every_s:g} s")


def _health(asked: Asked) -> Item:
    name = "its health is known"
    found = asked.seen.newest(e.HealthChanged)
    if found is None or found[0].health.state == "UNKNOWN":
        return unknown(name, "nothing was measured yet", "flyball up, and traffic")
    fact, shown = found
    said = f"{fact.health.state}: {fact.health.why}"
    return passed(name, said, shown) if fact.health.state == "HEALTHY" else failed(name, said, "flyball explain", shown)


def _fallback(asked: Asked) -> Iterable[Item]:
    """Each link of the chain, by the interval at which it is to be tried."""
    links = [
        link if isinstance(link, str) else "rule" if link.rule else "constant"
        for link in asked.service.serving.fallback
    ]
    every_s = asked.service.serving.exercise.every_s
    if not links:
        yield failed("the fallback chain was tried", "no link is declared", "serving.fallback: [previous, cached]")
    for link in dict.fromkeys(links):
        name = f"the fallback chain was tried: {link}"
        tried = asked.seen.newest(e.FallbackExercised, lambda fact, link=link: fact.link == link)  # type: ignore[misc]
        if link == PREVIOUS and asked.state.previous is None and (tried is None or not tried[0].answered):
            why = "there is no release before the champion yet, so it answers nothing"
            yield failed(name, why, _another(links), *([tried[1]] if tried is not None else []))
        elif tried is None:
            yield unknown(name, "it was never tried", "flyball up, and rows: each is tried once an interval")
        elif not tried[0].answered:
            reasons = ", ".join(tried[0].reasons) or "no reason"
            yield failed(name, f"of {tried[0].rows} rows it answered none: {reasons}", _mended(link), tried[1])
        else:
            why = f"it answered {tried[0].answered} of {tried[0].rows} rows"
            yield fresh(name, why, "flyball up, and rows", tried[1], within_s=2 * every_s)


def _another(links: Sequence[str]) -> str:
    """What helps a chain whose release before the champion is missing: one, and meanwhile a link that needs none."""
    second = "roll out a second release: the first stays warm and answers"
    if {"rule", "constant"} & {*links}:
        return f"{second}; until then the other links answer"
    return f"a link that needs none: serving.fallback: [previous, {{constant: ...}}]; or {second}"


def _mended(link: str) -> str:
    """What helps a link that was tried and answered nothing."""
    match link:
        case "previous":
            return "the gateway's log says why the release before the champion fails; the next rollout replaces it"
        case "cached":
            return "serving.cache: a larger max_rows or ttl_s; rows that nobody sends twice it cannot answer"
        case _:
            return f"serving.fallback: a {link} that answers every row"


def _on_call(asked: Asked) -> Item:
    name = "somebody is on call"
    alerts = asked.service.alerts
    if alerts is None:
        return failed(
            name, "alerts is not declared, so nobody is told of anything", "alerts: {on_call: [ada], to: [...]}"
        )
    levels = alerts.levels_at(asked.seen.now)
    named = [person for level in levels for person in level]
    if not named:
        return failed(name, "alerts.on_call names nobody", "alerts.on_call: [ada, [bob, cat]]")
    if not any(each.urgency != "ticket" for each in alerts.to):
        return failed(name, "no destination takes pages, so nobody is woken", "alerts.to: [{format: pagerduty, ...}]")
    turning = "" if alerts.rotation is None else f" (turn {alerts.rotation.turns(asked.seen.now) + 1} of the rotation)"
    return passed(name, f"{', '.join(named)}, in {len(levels)} levels{turning}; {len(alerts.to)} destinations")


def _runbooks(asked: Asked) -> Item:
    """Out: whoever is woken follows a link to them, in a browser that has no Flyball."""
    name, alerts = "runbooks are out and fresh", asked.service.alerts
    if alerts is not None and alerts.runbooks_url is None:
        todo = 'alerts.runbooks_url: "https://wiki.example/{runbook}"'
        return failed(name, "a page links none: nobody says where they are published", todo)
    return looked_at(name, asked.looked.runbooks, "flyball runbook list; flyball runbook run --dry-run")


def _alerts_tested(asked: Asked) -> Item:
    """Each destination that is declared took the newest test that was sent to it, not too long ago."""
    name, todo = "alerts are tested", "flyball alerts test"
    alerts = asked.service.alerts
    destinations = [each.called for each in alerts.to] if alerts is not None else []
    if not destinations:
        return failed(name, "no destination is declared: nobody hears of an alert", "alerts.to: [...]")
    newest = {each: asked.seen.newest(e.AlertsTested, partial(_was_sent, each)) for each in destinations}
    tested = [found for found in newest.values() if found is not None]
    if never := [each for each, found in newest.items() if found is None]:
        return failed(name, f"no test was ever sent to {', '.join(never)}", todo, *(shown for _, shown in tested))
    missed = [f"{each}: {found[0].missed[each]}" for each, found in newest.items() if found and each in found[0].missed]
    if missed:
        why = f"the newest test did not arrive: {'; '.join(missed)}"
        return failed(name, why, todo, *(shown for _, shown in tested))
    oldest = max((shown for _, shown in tested), key=lambda shown: shown.age_s)
    return fresh(name, f"tests arrived at {', '.join(destinations)}, the oldest", todo, oldest, within_s=TESTED_S)


def _was_sent(destination: str, fact: e.AlertsTested) -> bool:
    return destination in fact.arrived or destination in fact.missed


def _drills(asked: Asked) -> Item:
    name = "drills are scheduled, and none is overdue"
    schedule = asked.service.drills
    if not schedule:
        return failed(name, "none is scheduled", "drills: {fallback: weekly, disaster: quarterly}")
    late = [each for each in overdue(asked.state, asked.service, asked.seen.now) if each.what.startswith("drill-")]
    if late:
        never = [f"{each} ({why})" for each, why in undrillable(asked.service).items() if each in schedule]
        todo = f"out of drills: {', '.join(never)}" if never else "flyball drill NAME"
        return failed(name, "; ".join(each.why for each in late), todo)
    never = [each for each in schedule if each != FALLBACK and each not in asked.state.routine.drills]
    if FALLBACK in schedule:
        tried = asked.state.routine.exercised
        never += [f"fallback of {link}" for link in links(asked.service.serving) if link not in tried]
    if never:
        return unknown(name, f"none is overdue yet, and never made were: {', '.join(never)}", "flyball drill NAME")
    return passed(name, ", ".join(f"{fault} {period}" for fault, period in schedule.items()))


def _laid_aside(asked: Asked) -> Item:
    name, todo = "it was laid aside lately", "flyball backup --out FOLDER"
    newest = asked.seen.newest(e.BackupMade)
    if newest is None:
        return failed(name, "no backup is on record", todo)
    return looked_at(name, asked.looked.backup, todo, newest[1])


def _disaster(asked: Asked) -> Item:
    name = "a restore from backup was drilled"
    todo = "flyball drill disaster"
    drilled = asked.seen.newest(e.DrillEnded, lambda fact: fact.fault == DISASTER and fact.outcome != "aborted")
    if drilled is None:
        return failed(name, "no drill of a disaster is on the ledger", todo)
    fact, shown = drilled
    figures = ", ".join(f"{key} {value:g}" for key, value in fact.figures.items()) or "no figures"
    if fact.outcome != "passed":
        return failed(name, f"the last one missed: {fact.why or figures}", todo, shown)
    return fresh(name, f"it passed ({figures})", todo, shown, within_s=QUARTER_S)
