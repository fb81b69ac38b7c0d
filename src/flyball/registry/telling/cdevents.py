"""Facts as CDEvents 0.5.1, each in a CloudEvent (structured mode): the table of what becomes what.

| fact | CDEvents |
|---|---|
| training.started, training.failed | pipelinerun.started, pipelinerun.finished (failure) |
| release.registered | pipelinerun.finished, artifact.packaged, .signed, .published, testsuiterun.finished a suite |
| gates.judged | testsuiterun.finished (the gates) |
| rollout.opened | service.deployed (the candidate) |
| champion.appointed | service.deployed (first), service.upgraded |
| rollout.rolled_back | service.rolledback |
| incident.opened, incident.closed | incident.detected, incident.resolved |
| signal.raised (act), signal.cleared | incident.detected, incident.resolved |
| ticket.opened, ticket.closed | incident.reported, incident.resolved |
| approval.requested, .given, .rejected | the custom type `dev.cdeventsx.flyball-approval`, created and closed |
| exception.requested, .confirmed, .ended | the custom type `dev.cdeventsx.flyball-exception`, with the same words |

Approval is a draft in CDEvents and goes by a custom type until it is released there; its fields are those of the draft.
"""

from collections.abc import Iterator
from typing import Any

from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.release import Release
from flyball.registry.open_runs import Run, lost
from flyball.registry.run_ids import run_id
from flyball.registry.telling.addresses import purl, source, urn
from flyball.registry.telling.known import Known, incident_of, signal_key
from flyball.registry.telling.plainly import outside

SPEC = "0.5.1"
CUSTOM = ("approval", "exception")  # subjects that CDEvents does not have
Told = tuple[str, str, dict[str, Any]]  # subject and predicate, id of the subject, its content


def events(state: Known, entry: Entry, namespace: str) -> Iterator[dict[str, Any]]:
    """CDEvents about this entry, in order. `state`: the service before it. Their ids are made of the entry's hash."""
    speaker = source(namespace, entry.subject)
    for number, (kind, subject, content) in enumerate(_told(state, entry, {"id": namespace})):
        what, _, happened = kind.partition(".")
        custom = what in CUSTOM
        type_ = f"dev.cdeventsx.flyball-{what}.{happened}.0.1.0" if custom else f"dev.cdevents.{kind}.0.3.0"
        context = {
            "specversion": SPEC,
            "id": f"{entry.hash[:32]}-{number}",
            "source": speaker,
            "type": type_,
            "timestamp": entry.at,
        }
        if custom:
            context["schemaUri"] = urn("schema", f"flyball-{what}-{happened}-0.1.0")
        inner = {"id": subject, "source": speaker, "content": content}
        if custom:
            inner["type"] = f"flyball-{what}"
        yield {"context": context, "subject": inner, "customData": {"seq": entry.seq, "fact": entry.type}}


def cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """A CDEvent in a CloudEvent. Source: cdevents/spec, cloudevents-binding; the key for duplicates is (source, id)."""
    context = event["context"]
    return {
        "specversion": "1.0",
        "id": context["id"],
        "source": context["source"],
        "type": context["type"],
        "subject": event["subject"]["id"],
        "time": context["timestamp"],
        "datacontenttype": "application/json",
        "data": event,
    }


def _told(state: Known, entry: Entry, where: dict[str, Any]) -> Iterator[Told]:
    if (gone := lost(state.open_runs, entry)) is not None:
        yield _finished(gone, "cancel", "the run ended without a word: its process was stopped")
    match entry.fact:
        case e.TrainingStarted():
            run = run_id(entry)
            content = {"pipelineName": f"{entry.fact.service}.train", "uri": urn("run", run)}
            yield "pipelinerun.started", run, content
        case e.TrainingFailed(experiment=experiment, error=error):
            if (failed := state.open_runs.get(experiment)) is not None:
                yield _finished(failed, "failure", outside(error))
        case e.ReleaseRegistered(release=release, signature=signature):
            yield from _registered(state, release, signature, where)
        case e.GatesJudged(release=root, passed=passed, results=results):
            failed_gates = "; ".join(f"{gate.name}: {gate.reason}" for gate in results if not gate.passed)
            yield _suite(root, "gates", passed, failed_gates, where)
        case e.ApprovalRequested() | e.ApprovalGiven() | e.ApprovalRejected():
            yield from _approval(state, entry.fact, entry)
        case e.ExceptionRequested() | e.ExceptionConfirmed() | e.ExceptionEnded():
            yield _exception(entry.fact, entry)
        case _:
            yield from _in_traffic(state, entry, where)


def _registered(state: Known, release: Release, signature: str | None, where: dict[str, Any]) -> Iterator[Told]:
    artefact = purl(release.service, release.root)
    if (run := state.open_runs.get(release.experiment)) is not None:
        yield _finished(run, "success", "")
    code = run.fact.code if run is not None and run.fact.code else release.experiment
    yield "artifact.packaged", artefact, {"change": {"id": code}}
    for suite in sorted({test.suite for test in release.tests}):
        found = [test for test in release.tests if test.suite == suite and test.hard]
        failed = [test for test in found if test.verdict == "FAIL"]
        yield _suite(release.root, suite, not failed, "; ".join(f"{t.name}: {t.reason}" for t in failed), where)
    if signature:
        yield "artifact.signed", artefact, {"signature": signature}
    yield "artifact.published", artefact, {}


def _in_traffic(state: Known, entry: Entry, where: dict[str, Any]) -> Iterator[Told]:
    match entry.fact:
        case e.RolloutOpened(service=service, release=root, drill=""):  # a drill deploys no release
            yield "service.deployed", service, {"environment": where, "artifactId": purl(service, root)}
        case e.ChampionAppointed(service=service, release=root, previous=previous):
            kind = "service.deployed" if previous is None else "service.upgraded"
            yield kind, service, {"environment": where, "artifactId": purl(service, root)}
        case e.RolledBack(service=service, to=to, rollout=rollout) if rollout in state.rollouts:
            yield "service.rolledback", service, {"environment": where, "artifactId": purl(service, to)}
        case e.IncidentOpened(incident=incident, reason=reason):
            yield "incident.detected", incident, _incident(entry, reason, where)
        case e.IncidentClosed(incident=incident, reason=reason):
            yield "incident.resolved", incident, _incident(entry, reason, where)
        case e.SignalRaised(signal=signal):
            key = signal_key(signal.signal, signal.feature)
            size = f"{key} {signal.value:.4g} beyond {signal.limit:.4g}"
            if signal.level == "act" and key not in state.signals:
                content = _incident(entry, size, where)
                if signal.release:
                    content["artifactId"] = purl(entry.subject, signal.release)
                yield "incident.detected", incident_of(entry, signal), content
            elif signal.level == "warn" and key in state.signals:
                yield "incident.resolved", state.signals[key], _incident(entry, f"{size}, a warning only", where)
        case e.SignalCleared(signal=kind_, feature=feature):
            key = signal_key(kind_, feature)
            if key in state.signals:
                yield "incident.resolved", state.signals[key], _incident(entry, f"{key} is within its limits", where)
        case e.TicketOpened(ticket=ticket, diagnosis=diagnosis):
            content = _incident(entry, diagnosis.reason, where) | {"ticketURI": urn("ticket", ticket)}
            yield "incident.reported", f"ticket-{ticket}", content
        case e.TicketClosed(ticket=ticket, outcome=outcome, reason=reason):
            if ticket in state.tickets:
                said = outside(reason) if outcome == "failed" else reason
                yield "incident.resolved", state.tickets[ticket], _incident(entry, f"{outcome}: {said}", where)
        case _:
            return


def _approval(
    state: Known, fact: e.ApprovalRequested | e.ApprovalGiven | e.ApprovalRejected, entry: Entry
) -> Iterator[Told]:
    """The fields of the draft: who asks, what for; then who answered, and how."""
    model = fact.model if isinstance(fact, e.ApprovalRequested | e.ApprovalGiven) else state.rollouts.get(fact.rollout)
    content: dict[str, Any] = {"approvalDetailsUrl": urn("ledger", str(entry.seq))}
    if model is not None:
        content["resourceTargetUrl"] = purl(fact.service, model)
    match fact:
        case e.ApprovalRequested() if fact.alone:  # of nobody
            yield "approval.created", fact.rollout, content | {"requestor": "flyball"}
        case e.ApprovalRequested(role=role, expires_at=expires_at):
            yield (
                "approval.created",
                fact.rollout,
                content
                | {
                    "requestor": "flyball",
                    "role": role,
                    "expiresAt": expires_at,
                },
            )
        case e.ApprovalGiven(by=by, why=why):
            answer = {"responder": by, "decision": "approved", "status": "closed", "comment": why}
            yield "approval.closed", fact.rollout, content | answer
        case e.ApprovalRejected(by=by, why=why):
            answer = {"responder": by, "decision": "rejected", "status": "closed", "comment": why}
            yield "approval.closed", fact.rollout, content | answer


def _exception(fact: e.ExceptionRequested | e.ExceptionConfirmed | e.ExceptionEnded, entry: Entry) -> Told:
    """A failed gate that people let pass: which, of which release, by whom, until when."""
    content: dict[str, Any] = {
        "approvalDetailsUrl": urn("ledger", str(entry.seq)),
        "resourceTargetUrl": purl(fact.service, fact.release),
        "gate": fact.gate,
        "comment": fact.why,
    }
    match fact:
        case e.ExceptionRequested(by=by, expires_at=expires_at, found=found):
            asked = {"requestor": by, "role": "exception", "expiresAt": expires_at, "outcome": found.verdict}
            return "exception.requested", fact.exception, content | asked
        case e.ExceptionConfirmed(by=by):
            return "exception.confirmed", fact.exception, content | {"responder": by, "decision": "approved"}
        case e.ExceptionEnded(by=by, how=how):
            return "exception.ended", fact.exception, content | {"responder": by, "decision": how, "status": "closed"}


def _finished(run: Run, outcome: str, errors: str) -> Told:
    content = {"pipelineName": f"{run.fact.service}.train", "uri": urn("run", run.id), "outcome": outcome}
    return "pipelinerun.finished", run.id, content | ({"errors": errors} if errors else {})


def _suite(root: str, suite: str, passed: bool, reason: str, where: dict[str, Any]) -> Told:
    content: dict[str, Any] = {
        "environment": where,
        "testSuite": {"id": suite, "name": suite},
        "outcome": "success" if passed else "failure",
    }
    if not passed:
        content |= {"severity": "high", "reason": reason}
    return "testsuiterun.finished", f"{root}/{suite}", content


def _incident(entry: Entry, words: str, where: dict[str, Any]) -> dict[str, Any]:
    return {"description": words, "environment": where, "service": {"id": entry.subject}}
