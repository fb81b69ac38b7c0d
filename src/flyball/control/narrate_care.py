"""Facts of health, alerts, remedies, incidents' keepsakes, drills and routine, each as one English sentence."""

from flyball.core import events as e
from flyball.core.ids import short


def sentence_of_care(fact: e.AnyFact) -> str | None:
    """None: it is a fact of something else."""
    match fact:
        case e.HealthChanged(health=health, previous=previous):
            return f"the service is {health.state} (it was {previous}): {health.why}"
        case e.BudgetSpent(objective=objective, why=why):
            return f"the error budget of {objective} is spent: {why}"
        case e.BudgetRestored(objective=objective, left=left, why=why):
            told = f"{left:.0%} of the error budget of {objective} is left again" if left is not None else objective
            return f"{told}: {why}"
        case e.BudgetBurning(objective=objective, urgency=urgency, why=why):
            return f"the error budget of {objective} is burning ({urgency}): {why}"
        case e.BudgetCalm(objective=objective, why=why):
            return f"the error budget of {objective} is calm: {why}"
        case e.AccessRefused(key=key, why=why):
            return f"credentials are refused ({key}): {why}"
        case e.AccessCalm(key=key, why=why):
            return f"credentials are refused no more ({key}): {why}"
        case e.ForensicsKept(incident=incident, files=files, missing=missing):
            lacks = f", without {', '.join(missing)}" if missing else ""
            return f"{len(files)} files of incident {incident} were kept{lacks}"
        case e.RemedyBegun(remedy=remedy, kind=kind, cause=cause, why=why):
            return f"remedy {remedy} ({kind.replace('_', ' ')}) against {cause} began: {why}"
        case e.RemedyVerified(remedy=remedy, helped=helped, why=why):
            said = {"yes": "helped", "no": "did not help", "unknown": "may have helped or not"}[helped]
            return f"remedy {remedy} {said}: {why}"
        case e.RemedyEnded(remedy=remedy, why=why):
            return f"what remedy {remedy} had put in place was taken away: {why}"
        case _:
            return _of_alert(fact)


def _of_alert(fact: e.AnyFact) -> str | None:
    match fact:
        case e.AlertRaised(alert=alert, name=name, urgency=urgency, summary=summary, to=to, test=test):
            kind = f"test {urgency}" if test else urgency
            return f"{kind} {alert} ({name}) to {', '.join(to) or 'nobody by name'}: {summary}"
        case e.AlertHeld(name=name, by=by, why=why):
            return f"nobody was told of {name} ({by}): {why}"
        case e.AlertAcked(alert=alert, by=by, why=why):
            return f"{by} has alert {alert}" + (f": {why}" if why else "")
        case e.AlertEscalated(alert=alert, level=level, to=to, why=why):
            return f"alert {alert} was escalated to {', '.join(to) or 'nobody by name'} (level {level}): {why}"
        case e.AlertResolved(alert=alert, why=why):
            return f"alert {alert} is resolved: {why}"
        case e.AlertsTested(alert=alert, by=by, arrived=arrived, missed=missed):
            lacks = f"; not at {', '.join(f'{name} ({said})' for name, said in missed.items())}" if missed else ""
            return f"{by} tested the alerts ({alert}): it arrived at {', '.join(arrived) or 'nobody'}{lacks}"
        case e.AlertsSilenced(silence=silence, match=match, until=until, by=by, why=why):
            return f"{by} silenced alerts {match} until {until} ({silence}): {why}"
        case e.SilenceEnded(silence=silence, by=by, why=why):
            return f"silence {silence} ended (by {by}): {why}"
        case _:
            return _of_routine(fact)


def _of_routine(fact: e.AnyFact) -> str | None:
    match fact:
        case e.DrillBegun(drill=drill, fault=fault, share=share, by=by):
            return f"{by} began drill {drill}: {fault}, on {share:.1%} of the traffic at most"
        case e.DrillCandidate(drill=drill, release=release, copy_of=champion):
            return f"drill {drill} offers {short(release)}, a copy of champion {short(champion)} that will fail"
        case e.DrillWithdrawn(drill=drill):
            return f"the fault of drill {drill} is made no more; what is seen of later times alone is real"
        case e.DrillEnded(drill=drill, fault=fault, outcome=outcome, why=why):
            return f"drill {drill} ({fault}) {outcome}" + (f": {why}" if why else "")
        case e.DigestWritten(period=period, since=since, until=until):
            return f"the {period} digest of {since} to {until} was written"
        case e.BackfillDone(backfill=backfill, since=since, until=until, rows=rows, labels=labels, by=by):
            told = f"{rows} rows and {labels} labels of {since} to {until}"
            left = f"; {fact.left_out} rows are not in its table" if fact.left_out else ""
            lost = ", and lost" if fact.left_out and fact.rest_is_lost else ""
            return f"{by} filled in {told} again ({backfill.split(':')[-1][:12]}){left}{lost}"
        case e.BackupMade(folder=folder, entries=entries, size=size):
            return f"a backup was made: {entries} entries of the ledger, {size / 1e6:.1f} MB, in {folder}"
        case e.RunbookStepDone(runbook=runbook, step=step, by=by, exit_code=code):
            return f"{by} did step {step} of runbook {runbook} by hand" + (f", exit code {code}" if code else "")
        case _:
            return None
