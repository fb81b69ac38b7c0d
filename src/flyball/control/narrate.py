"""Each fact as one English sentence, for people who read the ledger in the morning."""

from collections.abc import Sequence

from flyball.control.diagnosis_words import told_diagnosis
from flyball.control.narrate_care import sentence_of_care
from flyball.core import events as e
from flyball.core.arms import Arm
from flyball.core.ids import short
from flyball.core.routing import WHOLE, Routing
from flyball.decide.pressure import brief


def sentence(fact: e.AnyFact) -> str:
    """What happened, with its numbers and its reason.

    >>> from flyball.core.ids import ServiceName
    >>> sentence(e.Frozen(service=ServiceName("fraud"), by="ada", why="audit"))
    'ada froze the service: audit'
    """
    # what others wrote into a fact (a reference, a reason) moves no cursor and begins no line
    return "".join(letter if letter.isprintable() else " " for letter in _sentence(fact))


def _sentence(fact: e.AnyFact) -> str:
    if (told := sentence_of_care(fact)) is not None:
        return told
    match fact:
        case e.ServiceDeclared(policy=policy):
            return f"the service was declared with policy {short(policy)}"
        case e.SnapshotTaken(snapshot=snapshot):
            return f"{snapshot.rows} rows ({snapshot.source}) were frozen as {short(snapshot.root)}"
        case e.TrainingStarted(experiment=experiment, reason=reason):
            return f"training of experiment {short(experiment)} began ({reason})"
        case e.TrainingFailed(experiment=experiment, error=error):
            return f"training of experiment {short(experiment)} failed: {error.splitlines()[-1] if error else '?'}"
        case e.RunFinished(run=run, outcome=outcome, use=use):
            figures = f"{use.seconds:.1f} s, {use.cpu_s:.1f} processor seconds, {use.peak_rss_mb:.0f} MB"
            return f"run {run} ended: {outcome.replace('_', ' ')} ({figures})"
        case e.ReleaseRegistered(release=release):
            figures = ", ".join(f"{name} {figure.value:.4g}" for name, figure in release.metrics.items())
            return f"release {short(release.root)} was signed and registered ({figures})"
        case e.GatesJudged(release=release, passed=passed, results=results):
            failed = [f"{gate.name}: {gate.reason}" for gate in results if not gate.passed]
            return f"release {short(release)} " + ("passed its gates" if passed else f"failed: {'; '.join(failed)}")
        case e.EvidenceAttached(release=release, evidence=evidence, files=files, missing=missing):
            told = f"{len(files)} files" if evidence is not None else f"could not be made: {missing.get('evidence')}"
            return f"evidence of release {short(release)}: {told}"
        case e.ReproductionJudged(experiment=experiment, verdict=verdict, reason=reason, by=by):
            return f"experiment {short(experiment)} was run again by {by}: {verdict}, {reason}"
        case e.ChampionAppointed(release=release, by=by, rubber_stamped=stamped, why=why, alone=rule):
            by = f"{by}: {why}" if why else by
            by = f"the {by} ALONE, nobody was asked: {rule}" if rule else by
            note = ", RUBBER_STAMPED: there was no champion to compare with" if stamped else ""
            return f"release {short(release)} became champion (by {by}{note})"
        case _:
            return _of_rollout(fact)


def _of_rollout(fact: e.AnyFact) -> str:
    match fact:
        case e.RolloutOpened(rollout=rollout, release=release, drill=drill) if drill:
            return f"rollout {rollout} of {short(release)}, the candidate of drill {drill}, opened"
        case e.RolloutOpened(rollout=rollout, release=release, reason=reason, exceptions=exceptions, power=power):
            by = f", BY EXCEPTION {', '.join(exceptions)}: gates that failed were let pass" if exceptions else ""
            weak = power.steps if power is not None else ()
            by += "".join(f"; step {each.step} is underpowered, accepted by {each.waived}" for each in weak)
            return f"rollout {rollout} of release {short(release)} opened ({reason}{by})"
        case e.StepStarted(step=step, kind=kind, routing=routing, why=why):
            return f"step {step} ({kind}) started, {_traffic(routing)}: {why}"
        case e.RoutingOrdered(routing=routing, why=why):
            return f"routing epoch {routing.epoch} ordered, {_traffic(routing)}: {why}"
        case e.RoutingApplied(epoch=epoch):
            return f"the gateway confirmed routing epoch {epoch}"
        case e.CommandGivenUp(key=key, attempts=attempts, error=error):
            return f"order {key} was given up after {attempts} attempts: {error}"
        case e.RoutingRepeated(epoch=epoch, why=why):
            return f"routing epoch {epoch} ordered once more: {why}"
        case e.RoutingRefused(epoch=epoch, error=error):
            return f"the gateway refused routing epoch {epoch}: {error}"
        case e.StepJudged(step=step, verdict=verdict):
            return f"step {step} was judged {verdict.kind}: {verdict.reason}"
        case e.ApprovalRequested(role=role, model=model, evidence=evidence, alone=rule):
            whom = f"NOBODY: {rule}" if rule else f"role {role}"
            return f"approval of release {short(model)} on evidence {short(evidence)} asked of {whom}"
        case e.ApprovalGiven(proof="policy", model=model, why=rule):
            return f"the policy ALONE approved release {short(model)}, nobody was asked: {rule}"
        case e.ApprovalGiven(by=by, proof=proof, model=model, why=why, alone=alone):
            note = ", ALONE: nobody else may, and the training was theirs" if alone else ""
            return f"{by} ({proof}) approved release {short(model)}{note}" + (f": {why}" if why else "")
        case e.ApprovalRejected(by=by, why=why):
            return f"{by} rejected the release: {why}"
        case e.RolledBack(release=release, to=to, cause=cause, by=by, verdict=verdict):
            return f"release {short(release)} was rolled back to {short(to)} by the {by} ({cause}): {verdict.reason}"
        case e.RolloutClosed(rollout=rollout, outcome=outcome, reason=reason):
            return f"rollout {rollout} closed as {outcome}: {reason}"
        case e.RollbackOrdered(by=by, why=why):
            return f"{by} ordered a rollback: {why}"
        case e.RolloutPaused(by=by, why=why):
            return f"{by} paused the rollout" + (f": {why}" if why else "")
        case e.RolloutResumed(by=by, why=why):
            return f"{by} resumed the rollout" + (f": {why}" if why else "")
        case e.StepSkipped(step=step, by=by, why=why):
            return f"{by} ended the wait of step {step}" + (f": {why}" if why else "")
        case e.StepWaived(step=step, by=by, why=why):
            return f"{by} accepts step {step} even where it is underpowered: {why}"
        case e.ReleaseWanted(release=release, by=by, why=why):
            return f"{by} wants release {short(release)} rolled out" + (f": {why}" if why else "")
        case _:
            return _of_exception(fact)


def _of_exception(fact: e.AnyFact) -> str:
    match fact:
        case e.ExceptionRequested(exception=name, release=release, gate=gate, found=found, by=by, why=why):
            told = f"gate {gate} of release {short(release)} ({found.verdict}: {found.reason})"
            return f"{by} asks for exception {name}: to let {told} pass until {fact.expires_at}: {why}"
        case e.ExceptionConfirmed(exception=name, release=release, gate=gate, by=by, why=why):
            told = f"{by} confirmed EXCEPTION {name}: gate {gate} of release {short(release)} FAILED and is let pass"
            return told + (f": {why}" if why else "")
        case e.ExceptionEnded(exception=name, gate=gate, how=how, by=by, why=why):
            return f"exception {name} for gate {gate} ended ({how}, by {by})" + (f": {why}" if why else "")
        case _:
            return _of_test(fact)


def _of_test(fact: e.AnyFact) -> str:
    match fact:
        case e.AbStarted(test=test, arms=arms, by=by, why=why):
            return f"{by} started A/B test {test}: {_arms(arms)}" + (f" ({why})" if why else "")
        case e.AbWeighed(test=test, arms=arms, by=by, why=why):
            return f"{by} weighed the arms of A/B test {test}: {_arms(arms)}" + (f" ({why})" if why else "")
        case e.AbArmStopped(test=test, arm=arm, release=release, verdict=verdict):
            return f"arm {arm} ({short(release)}) of A/B test {test} was stopped by the gateway: {verdict.reason}"
        case e.AbStopOrdered(test=test, by=by, winner=winner, why=why):
            won = f", arm {winner} has won" if winner else ""
            return f"{by} ordered A/B test {test} to end{won}" + (f": {why}" if why else "")
        case e.AbClosed(test=test, outcome=outcome, reason=reason):
            return f"A/B test {test} closed as {outcome.replace('_', ' ')}: {reason}"
        case _:
            return _of_loop(fact)


def _of_loop(fact: e.AnyFact) -> str:
    match fact:
        case e.SignalRaised(signal=signal) if signal.signal == "training":
            return f"training failed {signal.value:g} times in a row: {signal.detail}"
        case e.SignalRaised(signal=signal) if signal.signal == "capture":
            return f"the prediction log loses records: {signal.detail}"
        case e.SignalRaised(signal=signal):
            where = f" of {signal.feature}" if signal.feature else ""
            size = f"{signal.value:.4g} beyond {signal.limit:.4g}"
            return f"{signal.signal}{where} {size} ({signal.level}) in rows {signal.first_row}-{signal.last_row}"
        case e.SignalCleared(signal="training"):
            return "a training gave a release again"
        case e.SignalCleared(signal="capture"):
            return "the prediction log is whole again"
        case e.SignalCleared(signal=signal, feature=feature):
            return f"{signal}{f' of {feature}' if feature else ''} is within its limits again"
        case e.DiagnosisMade(diagnosis=diagnosis):
            return told_diagnosis(diagnosis)
        case e.TriggerReceived(source=source, reference=reference, by=by, proof=proof, why=why):
            return f"{by} ({proof}) says that there is something new: {source} {reference}" + (
                f" ({why})" if why else ""
            )
        case e.TicketOpened(ticket=ticket, reason=reason, why=why, pressures=pressures):
            pressed = [brief(each) for each in pressures if each.windows and "pressure" not in why]
            words = "; ".join(each for each in (why, *pressed) if each)
            return f"retrain ticket {ticket} opened ({reason})" + (f": {words}" if words else "")
        case e.TicketApproved(ticket=ticket, by=by, proof=proof, why=why, alone=alone):
            note = ", ALONE: nobody else may, and they had asked for it" if alone else ""
            return f"{by} ({proof}) agreed to the training of {ticket}{note}" + (f": {why}" if why else "")
        case e.RemedyReviewed(ticket=ticket, verdict=verdict, by=by, why=why, rung=stands, moved=moved, remedy=remedy):
            what = "retraining" if remedy == "retrain" else remedy.replace("/", " against ").replace("_", " ")
            thing = "retraining" if remedy == "retrain" else "remedy"
            return f"{by} called the {thing} {ticket} {verdict}: {why}; {what} stands at {stands} ({moved})"
        case e.RetrainOrdered(ticket=ticket, by=by):
            return f"a retraining for {ticket} was ordered by {by}"
        case e.TicketClosed(ticket=ticket, outcome=outcome, reason=reason):
            return f"ticket {ticket} closed as {outcome}: {reason}"
        case e.IncidentOpened(incident=incident, kind=kind, reason=reason):
            return f"{kind.replace('_', ' ')} incident {incident} opened: {reason}"
        case e.IncidentClosed(incident=incident, how=how, reason=reason):
            return f"incident {incident} closed ({how.replace('_', ' ')}): {reason}"
        case e.Frozen(by=by, why=why):
            return f"{by} froze the service: {why}"
        case e.Thawed(by=by, why=why):
            return f"{by} thawed the service: {why}"
        case e.DecisionTaken(action=action, why=why, waiting_for=waiting):
            return f"{action}: {why}" + (f"; waits for {', '.join(waiting)}" if waiting else "")
        case e.ProcessStarted(process=process, silent_s=silent_s):
            silent = f"; nobody had answered for {silent_s:.0f} s, and what was asked then is in no count"
            return f"a {process} process started" + (silent if silent_s else "")
        case _:
            return _of_storage(fact)


def _of_storage(fact: e.AnyFact) -> str:
    match fact:
        case e.HoldPlaced(digest=digest, by=by, why=why):
            return f"{by} placed a hold on {short(digest)}: {why}"
        case e.HoldLifted(digest=digest, by=by, why=why):
            return f"{by} lifted the hold on {short(digest)}: {why}"
        case e.FallbackExercised(link=link, rows=rows, answered=answered, agreed=agreed):
            return (
                f"the fallback {link} was exercised: it answered {answered} of {rows} rows, {agreed} as their arm did"
            )
        case e.StorageCollected(deleted=deleted, size=size, why=why):
            return f"{len(deleted)} stored things of {size / 1e6:.1f} MB were deleted: {why}"
        case _:
            raise AssertionError(f"a fact without a sentence: {type(fact).__name__}")


def _arms(arms: Sequence[Arm]) -> str:
    return ", ".join(f"{100 * arm.weight / WHOLE:g} % of units to {arm.name} ({short(arm.release)})" for arm in arms)


def _traffic(routing: Routing) -> str:
    if routing.arms:
        return _arms([arm for arm in routing.arms if arm.buckets])
    if routing.candidate is None:
        return f"all traffic to {short(routing.champion)}"
    live = f"{100 * routing.weight / WHOLE:g} % of units to {short(routing.candidate)}"
    return live + (f", {100 * routing.shadow:g} % mirrored" if routing.shadow else "")
